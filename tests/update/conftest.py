"""A template small enough to be rendered hundreds of times, and a project of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier
import pytest

OWNERSHIP = """\
_subdirectory: project
_skip_if_exists: ["*", &answers "!/.copier-answers*", &managed "!/managed/**"]
_exclude:
  - "{% if _copier_operation == 'update' %}*{% endif %}"
  - *answers
  - *managed
"""
QUESTIONS = """\
name: {type: str, default: shop}
cache: {type: str, choices: [redis, valkey], default: redis}
"""
ANSWERS = """\
# Written by Copier.
_commit_hash: {{ _copier_conf.vcs_ref_hash or "null" }}
{{ _copier_answers | to_nice_yaml -}}
"""
LINES = [f"line {number}\n" for number in range(1, 13)]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


@dataclass
class Releases:
    """The repository of the small template; it has a release v1.0.0."""

    folder: Path

    @property
    def files(self) -> Path:
        """The folder of what it renders."""
        return self.folder / "project"

    @property
    def managed(self) -> Path:
        return self.files / "managed"

    def ask(self, questions: str) -> None:
        (self.folder / "copier.yml").write_text(OWNERSHIP + questions)

    def release(self, tag: str = "v2.0.0") -> None:
        commit(self.folder, tag)
        git(self.folder, "tag", "--force", tag)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    releases = Releases(tmp_path / "template")
    releases.managed.mkdir(parents=True)
    releases.ask(QUESTIONS)
    (releases.files / "{{ _copier_conf.answers_file }}.jinja").write_text(ANSWERS)
    for name in ("one", "two", "three"):
        text = "".join(line.replace("line", name) for line in LINES)
        (releases.managed / f"{name}.py.jinja").write_text(text)
    (releases.managed / "cache.py.jinja").write_text("cache = '{{ cache }}'\n")
    (releases.files / "yours.py").write_text("".join(LINES))
    git(releases.folder, "init", "--quiet")
    releases.release("v1.0.0")
    return releases


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command keeps copies of templates, in place of the user's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def project(releases: Releases, cache_folder: Path, tmp_path: Path) -> Path:
    """A repository made from v1.0.0 of the small template, and committed."""
    folder = tmp_path / "project"
    copier.run_copy(str(releases.folder), folder, defaults=True, quiet=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "start")
    return folder


Testbed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def testbed(project: Path) -> Testbed:
    """Calls the command in the project."""

    def testbed(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from testbed.cli import run; run()"]
        return subprocess.run(
            [*command, *map(str, arguments)],
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **options,
        )

    return testbed


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each file, by its path."""
    return {
        path.relative_to(folder).as_posix(): (
            path.lstat().st_mode,
            path.read_bytes(),
        )
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def copy_project(project: Path, name: str) -> Path:
    return Path(shutil.copytree(project, project.parent / name, symlinks=True))
