"""`testbed update` and `testbed check`, called as a user calls them."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import copier
import pytest

from .conftest import QUESTIONS, Releases, Testbed, commit, copy_project, git, tree


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def refused(result: object) -> str:
    """The one line with which a call was refused."""
    assert result.returncode == 1, (result.stdout, result.stderr)  # type: ignore[attr-defined]
    (line,) = result.stderr.splitlines()  # type: ignore[attr-defined]
    assert line.startswith("testbed: ")
    return str(line)


def test_what_the_template_changed_and_what_the_user_did_are_both_there(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 2\n", "one 2, mine\n")
    edit(releases.managed / "one.py.jinja", "one 11\n", "one 11, new\n")
    releases.release()
    result = testbed("update")
    assert result.returncode == 0, result.stderr
    assert "v1.0.0 -> v2.0.0" in result.stdout
    assert "changed   managed/one.py" in result.stdout
    text = (project / "managed" / "one.py").read_text()
    assert "one 2, mine\n" in text
    assert "one 11, new\n" in text
    assert "_commit: v2.0.0\n" in (project / ".copier-answers.yml").read_text()
    again = testbed("update")
    assert (again.returncode, again.stdout) == (0, "Up to date: v2.0.0\n")


@pytest.mark.parametrize("edited", [False, True])
def test_the_tree_is_that_of_copier_where_it_is_right(
    releases: Releases, project: Path, testbed: Testbed, edited: bool
) -> None:
    if edited:
        edit(project / "managed" / "one.py", "one 2\n", "one 2, mine\n")
        edit(project / "yours.py", "line 2\n", "line 2, mine\n")
        (project / "managed" / "two.py").unlink()
        commit(project, "mine")
    edit(releases.managed / "one.py.jinja", "one 11\n", "one 11, new\n")
    edit(releases.managed / "two.py.jinja", "two 3\n", "two 3, new\n")
    edit(releases.files / "yours.py", "line 9\n", "line 9, new\n")
    (releases.managed / "three.py.jinja").unlink()
    (releases.managed / "four.py").write_text("new\n")
    (releases.managed / "four.py").chmod(0o755)
    releases.release()
    copiers = copy_project(project, "copiers")
    copier.run_update(copiers, defaults=True, overwrite=True, quiet=True)
    assert testbed("update").returncode == 0
    assert tree(project) == tree(copiers)


def test_both_sides_of_a_conflict_are_marked_with_their_versions(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 5\n", "one 5, mine\n")
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    result = testbed("update")
    assert result.returncode == 3
    assert "conflict  managed/one.py" in result.stdout
    assert "conflict: " in result.stderr
    text = (project / "managed" / "one.py").read_text()
    assert "<<<<<<< yours-on-v1.0.0\none 5, mine\n=======\n" in text
    assert "one 5, new\n>>>>>>> testbed-v2.0.0\n" in text
    unresolved = testbed("check")
    assert unresolved.returncode == 3
    assert "half merged  managed/one.py" in unresolved.stdout


def test_an_edit_goes_with_a_file_that_the_template_renames(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 5\n", "one 5, mine\n")
    old = releases.managed / "one.py.jinja"
    old.rename(releases.managed / "first.py.jinja")
    releases.release()
    result = testbed("update")
    assert result.returncode == 0, result.stderr
    assert not (project / "managed" / "one.py").exists()
    assert "one 5, mine\n" in (project / "managed" / "first.py").read_text()


def test_an_edited_file_that_the_template_removes_is_kept_and_reported(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 5\n", "one 5, mine\n")
    (releases.managed / "one.py.jinja").unlink()
    releases.release()
    result = testbed("update")
    assert result.returncode == 3
    assert "managed/one.py" in result.stderr
    assert "one 5, mine\n" in (project / "managed" / "one.py").read_text()


def test_an_edited_file_that_an_answer_removes_is_kept_and_reported(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    name = "{% if cache == 'redis' %}redis.py{% endif %}.jinja"
    (releases.managed / name).write_text("one\ntwo\nthree\n")
    releases.release()
    assert testbed("update").returncode == 0
    edit(project / "managed" / "redis.py", "two\n", "mine\n")
    result = testbed("update", "-d", "cache=valkey")
    assert result.returncode == 3
    assert "mine\n" in (project / "managed" / "redis.py").read_text()


def test_a_deleted_file_stays_deleted_and_its_change_is_told(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    (project / "managed" / "one.py").unlink()
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    result = testbed("update")
    assert result.returncode == 0
    assert "left so, though it has changed: managed/one.py" in result.stdout
    assert not (project / "managed" / "one.py").exists()


def test_a_file_of_the_users_is_never_touched_nor_brought_back(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(releases.files / "yours.py", "line 5\n", "line 5, new\n")
    releases.release()
    before = (project / "yours.py").read_bytes()
    assert testbed("update").returncode == 0
    assert (project / "yours.py").read_bytes() == before
    (project / "yours.py").unlink()
    releases.release("v3.0.0")
    assert testbed("update", "--with-new").returncode == 0
    assert not (project / "yours.py").exists()


def test_a_new_file_of_the_users_is_offered(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    (releases.files / "example.py").write_text("new\n")
    releases.release()
    result = testbed("update", "--dry-run", "--json")
    assert json.loads(result.stdout)["offered"] == ["example.py"]
    assert testbed("update").returncode == 0
    assert not (project / "example.py").exists()
    assert testbed("update", "--from", "v1.0.0", "--with-new").returncode == 0
    assert (project / "example.py").read_text() == "new\n"


def test_a_file_that_both_added_has_both_texts(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    for folder, text in ((project, "mine\n"), (releases.files, "new\n")):
        (folder / "managed" / "four.py").write_text(text)
    releases.release()
    assert testbed("update").returncode == 3
    text = (project / "managed" / "four.py").read_text()
    assert "mine\n" in text
    assert "new\n" in text


def test_a_changed_binary_file_is_kept(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    (releases.managed / "logo").write_bytes(b"\0one")
    releases.release()
    assert testbed("update").returncode == 0
    (project / "managed" / "logo").write_bytes(b"\0mine")
    releases.release("v3.0.0")
    assert testbed("update").returncode == 0
    assert (project / "managed" / "logo").read_bytes() == b"\0mine"
    (releases.managed / "logo").write_bytes(b"\0two")
    releases.release("v4.0.0")
    result = testbed("update")
    assert result.returncode == 3
    assert "managed/logo" in result.stderr
    assert (project / "managed" / "logo").read_bytes() == b"\0mine"


def test_line_ends_of_windows_are_no_edit(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    file = project / "managed" / "one.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert "edited" not in testbed("check").stdout
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    assert testbed("update").returncode == 0
    assert b"one 4\r\none 5, new\r\none 6\r\n" in file.read_bytes()


def test_the_mode_of_a_file_is_merged(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    (project / "managed" / "one.py").chmod(0o755)
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    (releases.managed / "two.py.jinja").chmod(0o755)
    releases.release()
    result = testbed("update", "--diff")
    assert result.returncode == 0
    assert "managed/two.py: mode 100644 becomes 100755" in result.stdout
    for name in ("one.py", "two.py"):
        assert os.access(project / "managed" / name, os.X_OK)


def test_a_link_in_place_of_a_file_is_kept_and_reported(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    file = project / "managed" / "one.py"
    file.unlink()
    file.symlink_to("../yours.py")
    before = (project / "yours.py").read_bytes()
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    result = testbed("update")
    assert result.returncode == 3
    assert "you made it a link" in result.stderr
    assert file.is_symlink()
    assert (project / "yours.py").read_bytes() == before


def test_a_link_in_place_of_a_folder_is_refused(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    outside = project.parent / "outside"
    (project / "managed").rename(outside)
    (project / "managed").symlink_to(outside)
    releases.release()
    before = tree(outside)
    assert "managed is a symbolic link" in refused(testbed("update"))
    assert tree(outside) == before


def test_a_name_may_change_in_case_alone(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 5\n", "one 5, mine\n")
    (releases.managed / "one.py.jinja").rename(releases.managed / "One.py.jinja")
    releases.release()
    assert testbed("update").returncode == 0
    names = os.listdir(project / "managed")
    assert "One.py" in names
    assert "one.py" not in names
    assert "one 5, mine\n" in (project / "managed" / "One.py").read_text()


def test_what_is_not_committed_is_merged_too(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 2\n", "one 2, staged\n")
    git(project, "add", "--all")
    edit(project / "managed" / "one.py", "one 7\n", "one 7, not staged\n")
    (project / "untracked").write_text("mine\n")
    edit(releases.managed / "one.py.jinja", "one 11\n", "one 11, new\n")
    releases.release()
    before = (project / "managed" / "one.py").read_text()
    result = testbed("update")
    assert result.returncode == 0
    restore = "git restore --source=refs/testbed/before-update -- FILE"
    assert restore in result.stderr
    text = (project / "managed" / "one.py").read_text()
    assert all(words in text for words in ("2, staged", "7, not staged", "11, new"))
    assert "2, staged" in git(project, "diff", "--cached")
    assert (project / "untracked").read_text() == "mine\n"
    git(project, *restore.replace("FILE", "managed/one.py").split()[1:])
    assert (project / "managed" / "one.py").read_text() == before


def test_what_is_committed_is_not_kept_elsewhere_too(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    (project / "yours.py").write_text("not committed\n")
    edit(releases.managed / "one.py.jinja", "one 11\n", "one 11, new\n")
    releases.release()
    result = testbed("update")
    assert (result.returncode, result.stderr) == (0, "")
    assert "refs/testbed" not in git(project, "for-each-ref")


def test_a_dry_run_writes_nothing(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    before = tree(project)
    result = testbed("update", "--dry-run", "--diff")
    assert result.returncode == 2
    assert "+one 5, new" in result.stdout.splitlines()
    assert "\x1b" not in result.stdout
    assert tree(project) == before


def test_a_bare_and_partial_clone_gets_a_commit_on_its_branch(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 2\n", "one 2, mine\n")
    (project / "big").write_bytes(b"\0" * 1000)
    commit(project, "mine")
    git(project, "config", "uploadpack.allowFilter", "true")
    bare = project.parent / "bare.git"
    options = ("--quiet", "--bare", "--filter=blob:none")
    git(project, "clone", *options, project.as_uri(), str(bare))
    hook = bare / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    edit(releases.managed / "one.py.jinja", "one 11\n", "one 11, new\n")
    (releases.managed / "two.py.jinja").unlink()
    releases.release()
    assert "has no work tree: --branch" in refused(testbed("update", bare))
    result = testbed("update", bare, "--branch", "main")
    assert result.returncode == 0, result.stderr
    changed = git(bare, "diff", "--name-status", "main~", "main").splitlines()
    assert sorted(changed) == [
        "D\tmanaged/two.py",
        "M\t.copier-answers.yml",
        "M\tmanaged/one.py",
    ]
    text = git(bare, "show", "main:managed/one.py")
    assert "one 2, mine\n" in text
    assert "one 11, new\n" in text


def test_a_folder_of_a_larger_repository_is_updated_alone(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    larger = project.parent / "larger"
    shutil.copytree(project, larger / "services" / "shop", ignore=lambda *_: [".git"])
    git(larger, "init", "--quiet", "--initial-branch=main")
    commit(larger, "start")
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    result = testbed("update", larger / "services" / "shop")
    assert result.returncode == 0, result.stderr
    changed = git(larger, "status", "--porcelain").split()[1::2]
    assert changed == [
        "services/shop/.copier-answers.yml",
        "services/shop/managed/one.py",
    ]
    git(larger, "checkout", "--quiet", ".")
    folder = larger / "services" / "shop"
    checked_out = testbed("update", folder, "--branch", "main")
    assert "main is checked out" in refused(checked_out)
    git(larger, "branch", "later")
    assert testbed("check", folder, "--branch", "later").returncode == 2
    assert testbed("update", folder, "--branch", "later").returncode == 0
    assert testbed("check", folder, "--branch", "later").returncode == 0
    on_branch = git(larger, "show", "later:services/shop/managed/one.py")
    assert "one 5, new\n" in on_branch


def test_of_several_answers_files_one_is_named(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    answers = project / ".copier-answers.yml"
    answers.rename(project / ".copier-answers.testbed.yml")
    (project / ".copier-answers.yml").write_text("_src_path: other\n_commit: v1\n")
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    assert "--answers-file says which" in refused(testbed("update"))
    result = testbed("update", "--answers-file", ".copier-answers.testbed.yml")
    assert result.returncode == 0, result.stderr
    assert answers.read_text() == "_src_path: other\n_commit: v1\n"
    named = (project / ".copier-answers.testbed.yml").read_text()
    assert "_commit: v2.0.0\n" in named


def lose_commit_hash(project: Path) -> None:
    """As in an answers file of a template that does not record it."""
    answers = project / ".copier-answers.yml"
    lines = answers.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("_commit_hash:")]
    assert len(kept) == len(lines) - 1
    answers.write_text("".join(kept))


def move_tag(releases: Releases) -> None:
    """Release v1.0.0 again, with another line, and v2.0.0 after it."""
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, moved\n")
    git(releases.folder, "commit", "--quiet", "--all", "--amend", "--message", "again")
    git(releases.folder, "tag", "--force", "v1.0.0")
    edit(releases.managed / "one.py.jinja", "one 11\n", "one 11, new\n")
    releases.release()


def test_after_a_tag_was_moved_the_commit_that_it_was_is_started_from(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / "managed" / "one.py", "one 2\n", "one 2, mine\n")
    move_tag(releases)
    checked = json.loads(testbed("check", "--json").stdout)
    assert checked["edited"] == ["managed/one.py"]
    result = testbed("update")
    assert result.returncode == 0, result.stderr
    text = (project / "managed" / "one.py").read_text()
    for line in ("one 2, mine\n", "one 5, moved\n", "one 11, new\n"):
        assert line in text
    assert testbed("check").returncode == 0


def test_a_moved_tag_whose_commit_is_gone_is_refused_and_from_helps(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    move_tag(releases)
    git(releases.folder, "reflog", "expire", "--expire=now", "--all")
    git(releases.folder, "gc", "--quiet", "--prune=now")
    before = tree(project)
    assert "v1.0.0 of" in (line := refused(testbed("update")))
    assert "was moved" in line
    assert tree(project) == before
    assert testbed("update", "--from", "v1.0.0").returncode == 0


def test_history_that_was_rewritten_is_told_and_from_helps(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(project / ".copier-answers.yml", "v1.0.0", "v1.0.0-3-gabc1234")
    lose_commit_hash(project)
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    assert "has no version v1.0.0-3-gabc1234" in refused(testbed("update"))
    assert testbed("update", "--from", "v1.0.0").returncode == 0
    assert "one 5, new\n" in (project / "managed" / "one.py").read_text()


def test_a_project_of_an_unreleased_commit_waits_for_the_release(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    commit(releases.folder, "not released")
    described = git(releases.folder, "describe", "--tags").strip()
    assert testbed("update", "--to", "HEAD").returncode == 0
    answers = (project / ".copier-answers.yml").read_text()
    assert f"_commit: {described}\n" in answers
    assert testbed("update").stdout == f"Up to date: {described}\n"
    assert testbed("check").returncode == 0
    edit(releases.managed / "one.py.jinja", "one 6\n", "one 6, new\n")
    releases.release()
    assert testbed("check").returncode == 2
    assert testbed("update").returncode == 0
    assert "one 6, new\n" in (project / "managed" / "one.py").read_text()


def test_answers_follow_renamed_questions_and_choices(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    assert testbed("update", "-d", "cache=valkey").returncode == 0
    assert "valkey" in (project / "managed" / "cache.py").read_text()
    releases.ask(
        QUESTIONS.replace("cache:", "store:").replace("valkey", "valkey9")
        + "_renamed_questions: {cache: store}\n"
        + "_renamed_choices: {store: {valkey: valkey9}}\n"
    )
    (releases.managed / "cache.py.jinja").write_text("cache = '{{ store }}'\n")
    releases.release()
    result = testbed("update")
    assert result.returncode == 0, result.stderr
    assert "cache is called store now" in result.stdout
    assert "store: valkey is called valkey9 now" in result.stdout
    assert (project / "managed" / "cache.py").read_text() == "cache = 'valkey9'\n"


def test_an_answer_that_is_no_longer_offered_is_asked_for(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    assert testbed("update", "-d", "cache=valkey").returncode == 0
    releases.ask(QUESTIONS.replace("valkey", "dragonfly"))
    releases.release()
    before = tree(project)
    line = refused(testbed("update"))
    assert "v2.0.0 does not accept cache: valkey" in line
    assert "-d cache=..., one of redis, dragonfly" in line
    assert tree(project) == before
    assert testbed("update", "-d", "cache=redis").returncode == 0


def test_a_new_question_without_a_default_is_asked_for(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    releases.ask(QUESTIONS + "team: {type: str}\nsize: {type: int, default: 3}\n")
    releases.release()
    before = tree(project)
    assert "team" in refused(testbed("update"))
    assert tree(project) == before
    result = testbed("update", "-d", "team=core")
    assert result.returncode == 0, result.stderr
    assert "size is new: 3 (-d size=... changes it)" in result.stdout


class Terminal:
    """`testbed update` in a folder, called on a terminal."""

    def __init__(self, folder: Path) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from testbed.cli import run; run()", "update"],
            cwd=folder,
            env={**os.environ, "TERM": "dumb"},
            **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
        )
        os.close(theirs)
        self.shown = b""

    def read_until(self, words: bytes) -> None:
        while words not in self.shown:
            try:
                self.shown += os.read(self.ours, 1024)
            except OSError:  # it has ended
                pytest.fail(self.shown.decode())

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def code(self) -> int:
        """The exit code, once it has ended."""
        code = self.process.wait(timeout=20)
        os.close(self.ours)
        return code


def test_on_a_terminal_what_has_no_answer_is_asked(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    assert testbed("update", "-d", "cache=valkey").returncode == 0
    questions = QUESTIONS.replace("valkey", "dragonfly")
    releases.ask(questions + "team: {type: str, help: Name it}\n")
    releases.release()
    terminal = Terminal(project)
    for words, answer in (
        (b"team: Name it", b"core\n"),
        (b"cache [redis, dragonfly]", b"valkey\n"),
        (b"cache is one of redis, dragonfly", b"dragonfly\n"),
    ):
        terminal.read_until(words)
        terminal.type(answer)
    terminal.read_until(b"v1.0.0 -> v2.0.0")
    assert terminal.code() == 0
    assert (project / "managed" / "cache.py").read_text() == "cache = 'dragonfly'\n"
    assert "team: core\n" in (project / ".copier-answers.yml").read_text()


def test_an_update_can_be_stopped_at_a_question(
    releases: Releases, project: Path
) -> None:
    releases.ask(QUESTIONS + "team: {type: str, help: Name it}\n")
    releases.release()
    before = tree(project)
    terminal = Terminal(project)
    terminal.read_until(b"Name it")
    # Ctrl-D: what Ctrl-C sends may come before Python reads, which then waits on.
    terminal.type(b"\x04")
    terminal.read_until(b"testbed: stopped, nothing was written")
    assert terminal.code() == 130
    assert tree(project) == before


def test_what_git_refuses_is_one_line_and_nothing_is_written(
    releases: Releases, project: Path, testbed: Testbed, tmp_path: Path
) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\n"
        'case "$*" in *merge-tree*) echo "fatal: no merge today" >&2; exit 128;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    fake.chmod(0o755)
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    before = tree(project)
    path = f"{fake.parent}:{os.environ['PATH']}"
    line = refused(testbed("update", env={**os.environ, "PATH": path}))
    assert "merge-tree" in line
    assert "no merge today" in line
    assert tree(project) == before


@pytest.mark.parametrize("text", ["a: [", "", None])
def test_a_template_that_cannot_be_read_is_told(
    releases: Releases, project: Path, testbed: Testbed, text: str | None
) -> None:
    settings = releases.folder / "copier.yml"
    settings.unlink() if text is None else settings.write_text(text)
    releases.release()
    line = refused(testbed("update"))
    assert f"copier.yml of {releases.folder} at v2.0.0" in line


def test_an_answer_to_no_question_is_refused(project: Path, testbed: Testbed) -> None:
    assert '"cash" is no question' in refused(testbed("update", "-d", "cash=redis"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no .copier-answers.yml"),
        ("", "has no answers in it"),
        ("a: [", "is not YAML"),
        ("name: shop\n_commit: v1\n", "has no _src_path"),
        ("_src_path: /nowhere\n_commit: v1\n", "cannot fetch the template from"),
    ],
)
def test_an_answers_file_that_says_nothing_is_refused(
    project: Path, testbed: Testbed, text: str | None, words: str
) -> None:
    answers = project / ".copier-answers.yml"
    answers.unlink() if text is None else answers.write_text(text)
    for command in ("update", "check"):
        assert words in refused(testbed(command))


def test_a_folder_without_git_is_refused(project: Path, testbed: Testbed) -> None:
    shutil.rmtree(project / ".git")
    assert "is in no git repository" in refused(testbed("update"))


def test_an_older_git_updates_by_copier(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    real = shutil.which("git")
    older = project.parent / "older"
    older.mkdir()
    (older / "git").write_text(
        '#!/bin/sh\nif [ "$*" = "-c core.hooksPath=/dev/null version" ]; then'
        f' echo git version 2.34.1; else exec {real} "$@"; fi\n'
    )
    (older / "git").chmod(0o755)
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    path = f"{older}{os.pathsep}{os.environ['PATH']}"
    result = testbed("update", env={**os.environ, "PATH": path})
    assert result.returncode == 0, result.stderr
    assert "git 2.34 has no `merge-tree --write-tree`" in result.stderr
    assert "one 5, new\n" in (project / "managed" / "one.py").read_text()


def test_a_check_tells_what_is_behind_edited_and_missing(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    result = testbed("check", "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout) == {
        "version": "v1.0.0",
        "newest": "v1.0.0",
        "behind": False,
        "edited": [],
        "missing": [],
        "half_merged": [],
    }
    edit(project / "managed" / "one.py", "one 5\n", "one 5, mine\n")
    (project / "managed" / "two.py").unlink()
    edit(project / "yours.py", "line 5\n", "line 5, mine\n")
    releases.release()
    commit(releases.folder, "more")
    releases.release("v2.1.0")
    result = testbed("check")
    assert result.returncode == 2
    assert result.stdout.splitlines() == [
        "v1.0.0, behind v2.1.0: `testbed update`",
        "  edited       managed/one.py",
        "  missing      managed/two.py",
    ]
