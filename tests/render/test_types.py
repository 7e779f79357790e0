"""Any two answers together are typed; `make soak` has every combination.

mypy is called for each, in a folder where it remembers the one before.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..stacks import Stack, covering_stacks, name
from .combinations import VARIANTS, files, run

ROOT = Path(__file__).parents[2]
DEFAULTS: Stack = {"framework": "fastapi", "starter": True}


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_python_is_typed(
    render: Callable[..., Path],
    tmp_path: Path,
    subtests: pytest.Subtests,
    framework: str,
) -> None:
    stacks = covering_stacks() + VARIANTS
    assert_typed(stacks, framework, render, tmp_path / "repository", subtests)


def assert_typed(
    stacks: list[Stack],
    framework: str,
    render: Callable[..., Path],
    folder: Path,
    subtests: pytest.Subtests,
) -> None:
    """Check those stacks that are of the framework, one after the other in a folder."""
    # The starter has its own strict configuration, which serves the others, too: what
    # mypy knows of libraries under it is of use to them, and to the next run.
    starters = render(framework=framework) / "pyproject.toml"
    for stack in sorted((DEFAULTS | each for each in stacks), key=by_common_files):
        if stack["framework"] != framework:
            continue
        # But the plugin for Django wants the settings of the starter.
        alone = framework == "django" and not stack["starter"]
        options = ("--strict",) if alone else ("--config-file", starters)
        known = ROOT / ".mypy_cache" / f"{framework}{'-alone' if alone else ''}"
        make_alike(folder, render(**stack))
        with subtests.test(name(stack)):
            cache = ("--sqlite-cache", "--cache-dir", known)
            run("mypy", *options, *cache, ".", cwd=folder)


def by_common_files(stack: Stack) -> list[str]:
    """Sort stacks so that neighbours have most files in common."""
    order = ("starter", "database_access", "broker", "database", "cache")
    return [str(stack.get(question)) for question in order]


def make_alike(folder: Path, repository: Path) -> None:
    """Give a folder the files of a repository; equal ones keep their time."""
    wanted = {path.relative_to(repository) for path in files([repository])}
    for path in files([folder]) if folder.exists() else []:
        if path.relative_to(folder) not in wanted:
            path.unlink()
    for path in wanted:
        source, target = repository / path, folder / path
        if not target.exists() or not filecmp.cmp(source, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
