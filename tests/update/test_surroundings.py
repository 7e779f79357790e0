"""What surrounds a repository costs no line: variables, settings, caches, races."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from testbed import files
from testbed.errors import UserError
from testbed.files import File, write_files
from testbed.history import History
from testbed.merging import merge
from testbed.project import open_project, read_state
from testbed.update import plan_update

from .conftest import Releases, Testbed, commit, git, tree
from .test_testbed_update import edit, refused

ONE = PurePosixPath("managed/one.py")


@pytest.fixture
def behind(releases: Releases, project: Path) -> Path:
    """The project, after a release that changes managed/one.py."""
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    releases.release()
    return project


def test_variables_of_a_hook_lead_no_command_to_another_repository(
    behind: Path, testbed: Testbed
) -> None:
    git(behind, "branch", "mine")
    git(behind, "tag", "mine-too")
    refs = git(behind, "for-each-ref")
    variables = {
        "GIT_DIR": str(behind / ".git"),
        "GIT_INDEX_FILE": str(behind / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(behind / ".git" / "objects"),
    }
    environment = {**os.environ, **variables}
    assert testbed("check", env=environment).returncode == 2
    assert testbed("update", env=environment).returncode == 0
    assert git(behind, "for-each-ref") == refs
    assert "one 5, new\n" in (behind / ONE).read_text()


@pytest.mark.parametrize(
    ("command", "form"),
    [
        ("check", "{}/.copier-answers.yml"),
        ("update", "sub/../x.yml"),
        ("doctor", "../x.yml"),
    ],
)
def test_an_answers_file_that_is_none_of_the_folder_is_refused(
    behind: Path, testbed: Testbed, command: str, form: str
) -> None:
    before = tree(behind)
    result = testbed(command, "--answers-file", form.format(behind))
    assert result.returncode == 1
    assert "there is no" in result.stdout + result.stderr
    assert tree(behind) == before


def test_a_commit_that_came_meanwhile_is_not_reverted(
    releases: Releases, behind: Path
) -> None:
    git(behind, "branch", "bot")
    project = open_project(behind, "bot")
    state = read_state(project)
    planned = plan_update(project, state, History(state.source))
    git(behind, "checkout", "--quiet", "bot")
    edit(behind / ONE, "one 9\n", "one 9, mine\n")
    commit(behind, "meanwhile")
    git(behind, "checkout", "--quiet", "main")
    with pytest.raises(UserError, match="branch bot"):
        project.write(planned.before, planned.after, "update")
    assert "one 9, mine\n" in git(behind, "show", f"bot:{ONE}")


def test_an_edit_that_came_meanwhile_is_not_reverted(behind: Path) -> None:
    project = open_project(behind, None)
    state = read_state(project)
    planned = plan_update(project, state, History(state.source))
    edit(behind / ONE, "one 9\n", "one 9, mine\n")
    with pytest.raises(UserError, match="has changed meanwhile"):
        project.write(planned.before, planned.after, "update")
    assert "one 9, mine\n" in (behind / ONE).read_text()


@pytest.mark.parametrize("options", [[], ["--branch", "bot"]])
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("managed/new/mine.txt", "managed/new"), ("managed/new", "managed/new/x.py")],
)
def test_what_is_in_the_way_of_a_new_file_is_refused_and_stays(
    releases: Releases,
    project: Path,
    testbed: Testbed,
    options: list[str],
    mine: str,
    theirs: str,
) -> None:
    for root, name in ((project, mine), (releases.files, theirs)):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("text\n")
    edit(releases.managed / "one.py.jinja", "one 5\n", "one 5, new\n")
    commit(project, "mine")
    git(project, "branch", "bot")
    releases.release()
    before, head = tree(project), git(project, "rev-parse", "bot")
    line = refused(testbed("update", *options))
    assert "managed/new" in line
    assert line.endswith("rename it")
    assert (tree(project), git(project, "rev-parse", "bot")) == (before, head)


def test_what_is_in_the_way_of_an_offered_file_is_no_hindrance(
    releases: Releases, behind: Path, testbed: Testbed
) -> None:
    (behind / "docs").write_text("mine\n")
    (releases.files / "docs").mkdir()
    (releases.files / "docs" / "x.md").write_text("new\n")
    releases.release()
    assert testbed("update", "--with-new").returncode == 0
    assert (behind / "docs").read_text() == "mine\n"


def test_a_file_that_becomes_a_folder_is_one(
    releases: Releases, project: Path, testbed: Testbed
) -> None:
    (releases.managed / "two.py.jinja").unlink()
    (releases.managed / "two.py").mkdir()
    (releases.managed / "two.py" / "x.py").write_text("x\n")
    releases.release()
    assert testbed("update").returncode == 0
    assert (project / "managed" / "two.py" / "x.py").read_text() == "x\n"


@pytest.mark.parametrize("error", [OSError("No space left"), KeyboardInterrupt()])
def test_writing_that_fails_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    for name in ("gone", "kept", "folder/changed"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}, old\n")
    (tmp_path / "kept").chmod(0o600)
    names = ("gone", "kept", "folder/changed")
    old = files.read_files(tmp_path, map(PurePosixPath, names))
    new = {
        PurePosixPath(name): File("100755", b"new\n")
        for name in ("folder/changed", "kept", "new/one", "new/two")
    }
    before = tree(tmp_path)
    replaced = []

    def replace(source: Path, target: Path) -> None:
        replaced.append(target)
        if len(replaced) == 4:
            raise error
        os.rename(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(type(error)):
        write_files(tmp_path, old, new)
    assert tree(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "folder",
        "gone",
        "kept",
    ]


def test_what_is_not_checked_out_was_not_deleted(
    behind: Path, testbed: Testbed
) -> None:
    git(behind, "sparse-checkout", "set", "src")
    before = tree(behind)
    assert "is not checked out (git sparse-checkout)" in refused(testbed("update"))
    assert tree(behind) == before


def test_a_cache_of_which_a_part_was_removed_is_made_anew(
    behind: Path, testbed: Testbed, cache_folder: Path
) -> None:
    assert testbed("update", "--dry-run").returncode == 2
    (two,) = {path.name for path in cache_folder.rglob("two*") if path.is_file()}
    for path in list(cache_folder.rglob(two)):
        path.unlink()
    result = testbed("update")
    assert result.returncode == 0
    assert "removed" not in result.stdout
    assert (behind / "managed" / "two.py").exists()
    (copy,) = cache_folder.rglob("repository.git")
    shutil.rmtree(copy / "objects")
    assert testbed("check").returncode == 0


@pytest.mark.parametrize("option", ["--from=v1.0.0", "--branch=main", "--json"])
def test_with_an_old_git_an_option_that_needs_a_newer_one_is_refused(
    behind: Path, testbed: Testbed, tmp_path: Path, option: str
) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\n"
        'case "$*" in *version) echo git version 2.34.1; exit;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    fake.chmod(0o755)
    before = tree(behind)
    path = f"{fake.parent}:{os.environ['PATH']}"
    result = testbed("update", option, env={**os.environ, "PATH": path})
    assert result.returncode == 1
    needs = f"{option.partition('=')[0]} needs git 2.38 or newer"
    assert needs in result.stderr.splitlines()[-1]
    assert tree(behind) == before


@pytest.mark.parametrize(
    "line",
    [
        "when: 2024-13-45",
        "x: !!bool foo",
        "x: [[1]]",
        "x: [{a: 1}]",
        "1: x",
        "null: x",
        'x: "\\ud800"',
        '_src_path: "a\\0b"',
        "_src_path: ~nobody-of-that-name/x",
        "versions: [",
    ],
)
def test_an_answers_file_with_anything_in_it_is_no_traceback(
    behind: Path, testbed: Testbed, line: str
) -> None:
    with (behind / ".copier-answers.yml").open("a") as answers:
        answers.write(f"{line}\n")
    result = testbed("update")
    assert "Traceback" not in result.stderr
    assert result.returncode != 1 or len(result.stderr.splitlines()) == 1


def test_settings_of_git_do_not_lead_a_merge_astray(
    releases: Releases, behind: Path, testbed: Testbed, tmp_path: Path
) -> None:
    (tmp_path / "attributes").write_text("*.py merge=union\n")
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[core]\nattributesFile = {tmp_path / 'attributes'}\n"
        "[safe]\nbareRepository = explicit\n"
    )
    edit(behind / ONE, "one 5\n", "one 5, mine\n")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": str(settings)}
    result = testbed("update", env=environment)
    assert result.returncode == 3, result.stderr
    assert "<<<<<<< yours-on-v1.0.0\n" in (behind / ONE).read_text()
    assert "still has markers" in refused(testbed("update", env=environment))


def test_what_was_not_committed_before_an_earlier_update_is_kept_too(
    releases: Releases, behind: Path, testbed: Testbed
) -> None:
    edit(behind / ONE, "one 2\n", "one 2, mine\n")
    for tag in ("v3.0.0", "v4.0.0"):
        assert testbed("update").returncode == 0
        edit(releases.managed / "one.py.jinja", "new\n", "new, new\n")
        releases.release(tag)
    kept = git(behind, "log", "--format=%H", "refs/testbed/before-update").split()
    assert len(kept) == 2
    first = git(behind, "show", f"{kept[-1]}:{ONE}")
    assert "one 2, mine\n" in first
    assert "new" not in first


def test_lines_of_windows_on_both_sides_end_as_they_did() -> None:
    path = PurePosixPath("a")
    base, ours, theirs = (
        {path: File("100644", text)}
        for text in (b"1\n2\n3\n", b"1\r\n2\r\n3\r\n", b"1\r\n2\r\n4\r\n")
    )
    merged = merge(base, ours, theirs, our_name="ours", their_name="theirs")
    assert merged.files[path].content == b"1\r\n2\r\n4\r\n"


def test_a_long_path_of_the_cache_is_none_of_the_answers(
    behind: Path, testbed: Testbed, tmp_path: Path
) -> None:
    cache = tmp_path / "a folder of a name that is long" / ("and longer " * 5).strip()
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    assert testbed("update", env=environment).returncode == 0
    text = (behind / ".copier-answers.yml").read_text()
    assert str(cache.name) not in text
    assert testbed("check", env=environment).returncode == 0


@pytest.mark.parametrize(
    "text", ["services:\n", "services: [a]\n", "services: {1: {}}\n", "\xff", "a: ["]
)
def test_the_doctor_bears_any_compose_file(
    behind: Path, testbed: Testbed, text: str
) -> None:
    (behind / "docker-compose.test.yml").write_bytes(text.encode("latin-1"))
    result: subprocess.CompletedProcess[str] = testbed("doctor")
    assert "Traceback" not in result.stderr
    assert ".copier-answers.yml" in result.stdout
