"""From each of four versions of the real template to the newest, for several stacks.

Until there are releases, the versions are made of the work tree, by scripted changes
such as releases bring: a file renamed,
one removed, a question renamed, facts moved.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from pathlib import Path

import copier
import pytest
import yaml
from testbed.files import read_files
from testbed.history import History
from testbed.project import WorkTree, read_state
from testbed.rendering import render
from testbed.update import plan_update

from ..stacks import Stack
from .conftest import commit, git, tree

VERSIONS = ["v1.0.0", "v1.1.0", "v2.0.0", "v3.0.0"]
NEWEST = VERSIONS[-1]
SUPPORT = "template/project/{{ tests_dir }}/support"

STACKS: dict[str, Stack] = {
    "fastapi": {"cache": "redis", "broker": "rabbitmq", "ci": ["github", "gitlab"]},
    "django": {
        "framework": "django",
        "database": "mysql",
        "broker": "kafka",
        "cache": "valkey",
    },
    "flask": {
        "framework": "flask",
        "starter": False,
        "tests_dir": "tests",
        "ci_shards": 3,
    },
}
# Each version and each stack; all of them together are for the soak.
EVERY = list(itertools.product(VERSIONS[:-1], STACKS))
SOME = list(zip(VERSIONS[:-1], STACKS, strict=True))
CASES = EVERY if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else SOME


def replace_everywhere(folder: Path, old: str, new: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            text = path.read_text(encoding="utf-8")
            if re.search(old, text):
                path.write_text(re.sub(old, new, text), encoding="utf-8")


def rename_a_file_of_a_service(template: Path) -> None:
    support = template / SUPPORT
    (support / "statements.py").rename(support / "queries.py")
    replace_everywhere(template / "template", r"\.statements\b", ".queries")


def move_facts(template: Path) -> None:
    """A newer image of a service, and other words in what is computed."""
    facts = template / "template" / "services" / "redis" / "facts.yml"
    text = facts.read_text()
    newer = re.sub(r"8\.\d+\.\d+", "8.99.0", text)
    assert newer != text
    facts.write_text(newer)
    compose = template / "template" / "project" / "docker-compose.test.yml.jinja"
    compose.write_text(compose.read_text().replace("The services", "All services"))


def rename_a_question_and_remove_a_file(template: Path) -> None:
    replace_everywhere(template, r"\bci_shards\b", "ci_parts")
    copier_yml = template / "copier.yml"
    rename = "_renamed_questions: {ci_shards: ci_parts}\n"
    copier_yml.write_text(copier_yml.read_text() + rename)
    (template / SUPPORT / "waiting.py").unlink(missing_ok=True)
    for path in (template / "template").rglob("ruff.toml*"):
        path.unlink()


@pytest.fixture(scope="session")
def history(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of the template, with all VERSIONS."""
    folder = tmp_path_factory.mktemp("history") / "template"
    shutil.copytree(template, folder)
    git(folder, "init", "--quiet")
    changes = [
        rename_a_file_of_a_service,
        move_facts,
        rename_a_question_and_remove_a_file,
    ]
    for version, change in zip(VERSIONS, [None, *changes], strict=True):
        if change:
            change(folder)
        commit(folder, version)
        git(folder, "tag", version)
    return folder


@pytest.fixture(autouse=True)
def _own_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))


def make_project(history: Path, folder: Path, version: str, stack: Stack) -> Path:
    copier.run_copy(
        str(history), folder, data=stack, vcs_ref=version, defaults=True, quiet=True
    )
    git(folder, "init", "--quiet")
    commit(folder, version)
    return folder


def update(project: Path) -> tuple[dict[str, str], list[str]]:
    """Update a project; what changed, and the paths with conflicts."""
    files = WorkTree(project)
    state = read_state(files)
    planned = plan_update(files, state, History(state.source))
    files.write(planned.before, planned.after, "")
    changes = {str(path): change for path, change in planned.changes.items()}
    return changes, [str(each.path) for each in planned.conflicts]


@pytest.mark.parametrize(("version", "stack"), CASES)
def test_managed_files_become_those_of_a_fresh_render(
    history: Path, tmp_path: Path, version: str, stack: str
) -> None:
    project = make_project(history, tmp_path / "project", version, STACKS[stack])
    before = read_state(WorkTree(project))
    _, conflicts = update(project)
    assert conflicts == []
    state = read_state(WorkTree(project))
    assert state.version == NEWEST
    assert state.answers.get("ci_parts") == STACKS[stack].get("ci_shards", 1)
    releases = History(str(history))
    fresh = render(releases.newest, state.answers, {}, state.file)
    assert read_files(project, fresh.managed) == {
        path: fresh.files[path] for path in fresh.managed
    }
    old = render(releases.version(version), before.answers, {}, state.file)
    gone = old.managed - fresh.files.keys()
    assert gone
    assert not [path for path in gone if (project / path).exists()]
    commit(project, "updated")
    copier.run_recopy(project, defaults=True, overwrite=True, quiet=True)
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(("version", "stack"), CASES)
def test_an_edit_in_every_managed_file_survives_or_is_reported(
    history: Path, tmp_path: Path, version: str, stack: str
) -> None:
    project = make_project(history, tmp_path / "project", version, STACKS[stack])
    state = read_state(WorkTree(project))
    releases = History(state.source)
    old = render(releases.version(version), state.answers, {}, state.file)
    edited = sorted(old.managed - {state.file})
    for path in edited:
        with (project / path).open("a", encoding="utf-8") as file:
            file.write(f"# mine: {path}\n")
    _, conflicts = update(project)
    state = read_state(WorkTree(project))
    newest = render(releases.newest, state.answers, {}, state.file)
    now = {path: content.decode() for path, (_, content) in tree(project).items()}
    for path in edited:
        (found,) = [name for name, text in now.items() if f"# mine: {path}\n" in text]
        if found != str(path):
            assert not (project / path).exists()  # renamed, with the edit
        elif path not in newest.files:
            assert str(path) in conflicts


@pytest.mark.parametrize("stack", STACKS if CASES is EVERY else ["fastapi"])
def test_plain_copier_update_agrees_where_nothing_was_edited(
    history: Path, tmp_path: Path, stack: str
) -> None:
    """In all but the renamed question, which Copier forgets, and answers anew."""
    answers = {**STACKS[stack], "ci_shards": 1}
    ours = make_project(history, tmp_path / "ours", "v1.0.0", answers)
    copiers = Path(shutil.copytree(ours, tmp_path / "copiers"))
    copier.run_update(copiers, defaults=True, overwrite=True, quiet=True)
    _, conflicts = update(ours)
    assert conflicts == []
    assert tree(ours) == tree(copiers)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_version_needs_trust(history: Path, version: str) -> None:
    settings = yaml.safe_load(git(history, "show", f"{version}:copier.yml"))
    assert not settings.keys() & {"_tasks", "_migrations", "_jinja_extensions"}
