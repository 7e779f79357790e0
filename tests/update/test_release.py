"""What a release is, and that what it recorded is read for ever."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from testbed.history import History
from testbed.project import WorkTree, read_state
from testbed.update import plan_update

from .conftest import commit, git

ROOT = Path(__file__).parents[2]
SNAPSHOTS = sorted((ROOT / "tests" / "update" / "answers").glob("*/*.yml"))
PROFILES = yaml.safe_load((ROOT / "examples" / "profiles.yml").read_text())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the project, with one release."""
    folder = tmp_path / "checkout"
    left_out = shutil.ignore_patterns(".git", ".venv", "build", "*cache*", "answers")
    shutil.copytree(ROOT, folder, ignore=left_out)
    git(folder, "init", "--quiet")
    commit(folder, "one")
    git(folder, "tag", "v0.0.9")
    return folder


def release(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, checkout / "scripts" / "release", *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True)


def test_a_release_has_a_version_a_changelog_and_the_answers(checkout: Path) -> None:
    result = release(checkout, "1.2.0")
    assert result.returncode == 0, result.stderr
    assert "git tag v1.2.0" in result.stdout
    assert 'version = "1.2.0"\n' in (checkout / "pyproject.toml").read_text()
    changelog = (checkout / "CHANGELOG.md").read_text()
    assert changelog.index("## Unreleased") < changelog.index("## 1.2.0 (")
    answers = checkout / "tests" / "update" / "answers" / "v1.2.0"
    assert {path.stem for path in answers.iterdir()} == PROFILES.keys()
    commit(checkout, "release")
    git(checkout, "tag", "v1.2.0")
    empty = release(checkout, "1.3.0")
    assert "nothing under `## Unreleased`" in empty.stderr
    assert git(checkout, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("next", "next is no version"),
        ("v1.2.0", "write 1.2.0"),
        ("0.0.9", "0.0.9 is not newer than 0.0.9"),
        ("--help", "Prepare a release"),
    ],
)
def test_what_is_no_newer_version_is_refused(
    checkout: Path, version: str, words: str
) -> None:
    result = release(checkout, version)
    assert result.returncode == 1
    assert words in result.stderr
    assert git(checkout, "status", "--porcelain") == ""


def test_a_checkout_with_changes_is_refused(checkout: Path) -> None:
    (checkout / "README.md").write_text("mine")
    assert "the checkout has changes" in release(checkout, "1.2.0").stderr


@pytest.mark.parametrize(
    "answers",
    SNAPSHOTS
    or [ROOT / "examples" / name / ".copier-answers.yml" for name in PROFILES],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_the_answers_of_every_release_are_read(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: Path
) -> None:
    """Until there is a release, those of the examples."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = Path(shutil.copytree(template, tmp_path / "template"))
    git(source, "init", "--quiet")
    commit(source, "now")
    git(source, "tag", "v1.0.0")
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "--quiet")
    recorded = f"_src_path: {source}\n_commit: v1.0.0\n{answers.read_text()}"
    (project / ".copier-answers.yml").write_text(recorded)
    files = WorkTree(project)
    plan = plan_update(files, read_state(files), History(str(source)))
    assert plan.notes == []
