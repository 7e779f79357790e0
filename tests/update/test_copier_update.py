"""Plain `copier update` between two versions of the template, in a real repository.

Managed files follow the template; the user's own are never touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import copier
import pytest

from .conftest import commit, git

INTEGRATION = Path("tests/integration")


@pytest.fixture
def releases(template: Path, tmp_path: Path) -> Path:
    """A repository of the template with a release v1.0.0."""
    folder = tmp_path / "template"
    shutil.copytree(template, folder)
    git(folder, "init", "--quiet")
    commit(folder, "one")
    git(folder, "tag", "v1.0.0")
    return folder


@pytest.fixture
def repository(releases: Path, tmp_path: Path) -> Path:
    """A user's repository, made from v1.0.0 and committed."""
    folder = tmp_path / "repository"
    copier.run_copy(str(releases), folder, defaults=True, quiet=True)
    git(folder, "init", "--quiet")
    commit(folder, "start")
    return folder


def release(releases: Path, change: Callable[[Path], None]) -> None:
    change(releases / "template")
    commit(releases, "two")
    git(releases, "tag", "v2.0.0")


def update(repository: Path, **answers: object) -> None:
    commit_if_changed(repository)
    copier.run_update(
        repository, data=answers, defaults=True, overwrite=True, quiet=True
    )


def commit_if_changed(repository: Path) -> None:
    if git(repository, "status", "--porcelain"):
        commit(repository, "my change")


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def every_file_changes(template: Path) -> None:
    """A release that adds a line to everything that it renders."""
    for path in template.rglob("*"):
        if path.suffix in {".py", ".jinja"} and "{%" not in path.name:
            append(path, "# version two\n")


def test_managed_files_follow_and_yours_stay(releases: Path, repository: Path) -> None:
    release(releases, every_file_changes)
    update(repository)
    changed = {line[3:] for line in git(repository, "status", "-s").splitlines()}
    assert "docker-compose.test.yml" in changed
    assert f"{INTEGRATION}/support/guard.py" in changed
    assert f"{INTEGRATION}/test_isolation.py" in changed
    for path in changed:
        assert path == ".copier-answers.yml" or (
            "managed by testbed" in (repository / path).read_text()[:400].lower()
        )


def test_an_edit_in_a_managed_file_survives(releases: Path, repository: Path) -> None:
    guard = repository / INTEGRATION / "support" / "guard.py"
    guard.write_text("# my own line\n" + guard.read_text())
    release(releases, every_file_changes)
    update(repository)
    lines = guard.read_text().splitlines()
    assert lines[0] == "# my own line"
    assert lines[-1] == "# version two"


@pytest.mark.parametrize(
    "path", ["wiring.py", "conftest.py", "test_api.py", "factories/products.py"]
)
def test_an_edited_file_of_yours_is_untouched(
    releases: Path, repository: Path, path: str
) -> None:
    mine = repository / INTEGRATION / path
    append(mine, "# my own line\n")
    before = mine.read_text()
    release(releases, every_file_changes)
    update(repository)
    assert mine.read_text() == before


def test_a_deleted_file_of_yours_stays_deleted(
    releases: Path, repository: Path
) -> None:
    mine = repository / INTEGRATION / "test_api.py"
    mine.unlink()
    release(releases, every_file_changes)
    update(repository)
    assert not mine.exists()


def test_a_file_of_yours_that_the_template_drops_stays(
    releases: Path, repository: Path
) -> None:
    mine = repository / INTEGRATION / "test_api.py"
    append(mine, "# my own line\n")

    def drop(template: Path) -> None:
        starter = template / "frameworks" / "fastapi" / "starter"
        (starter / INTEGRATION / "test_api.py.jinja").unlink()
        files = starter / "files.yml"
        line = f"  - {INTEGRATION}/test_api.py\n"
        assert line in files.read_text()
        files.write_text(files.read_text().replace(line, ""))

    release(releases, drop)
    update(repository)
    assert mine.read_text().endswith("# my own line\n")


def test_a_flipped_answer_removes_what_is_managed_and_keeps_what_is_yours(
    releases: Path, repository: Path
) -> None:
    mine = repository / INTEGRATION / "test_rabbitmq.py"
    append(mine, "# my own line\n")
    release(releases, every_file_changes)
    update(repository, broker="none")
    assert mine.read_text().endswith("# my own line\n")
    assert not (repository / INTEGRATION / "support" / "rabbitmq.py").exists()
    assert "rabbitmq" not in (repository / "docker-compose.test.yml").read_text()


def test_managed_files_after_an_update_are_those_of_a_fresh_render(
    releases: Path, repository: Path, tmp_path: Path
) -> None:
    release(releases, every_file_changes)
    update(repository)
    fresh = tmp_path / "fresh"
    copier.run_copy(str(releases), fresh, defaults=True, quiet=True)
    for path in (fresh / INTEGRATION / "support").glob("*.py"):
        assert (repository / path.relative_to(fresh)).read_text() == path.read_text()


def test_a_repository_that_exists_keeps_its_own_files(
    releases: Path, tmp_path: Path
) -> None:
    existing = tmp_path / "existing"
    (existing / INTEGRATION).mkdir(parents=True)
    mine = {
        "pyproject.toml": "[project]\n",
        f"{INTEGRATION}/conftest.py": "# mine\n",
        f"{INTEGRATION}/test_api.py": "# mine\n",
    }
    for path, text in mine.items():
        (existing / path).write_text(text)
    copier.run_copy(str(releases), existing, defaults=True, quiet=True)
    assert {path: (existing / path).read_text() for path in mine} == mine
    assert (existing / INTEGRATION / "support" / "guard.py").exists()


def test_a_second_update_changes_nothing(releases: Path, repository: Path) -> None:
    release(releases, every_file_changes)
    update(repository)
    commit(repository, "update")
    update(repository)
    assert git(repository, "status", "--porcelain") == ""


def test_a_recopy_of_an_unedited_repository_changes_nothing(repository: Path) -> None:
    copier.run_recopy(repository, defaults=True, overwrite=True, quiet=True)
    assert git(repository, "status", "--porcelain") == ""


def test_another_answer_is_the_same_as_a_fresh_render(
    repository: Path, render: Callable[..., Path]
) -> None:
    """As the rendered README tells it: update, delete what is of the old, recopy."""
    update(repository, broker="kafka")
    for path in (
        INTEGRATION / "test_rabbitmq.py",
        INTEGRATION / "test_order_workflow.py",
        INTEGRATION / "test_outbox.py",
        INTEGRATION / "wiring.py",
        Path("tests/unit/conftest.py"),
        Path("src/shop/messaging.py"),
    ):
        (repository / path).unlink()
    copier.run_recopy(repository, skip_answered=True, overwrite=True, quiet=True)
    fresh = files(render(broker="kafka"))
    now = files(repository)
    assert set(now) == set(fresh)
    different = {str(path) for path in fresh if now[path] != fresh[path]}
    # Dependencies and words that are the user's own to change.
    assert different == {".copier-answers.yml", "README.md", "pyproject.toml"}


def files(repository: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(repository): path.read_bytes()
        for path in repository.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
