"""A bed changes nothing in a repository that exists, and turns no linter of it red."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..ordinary_repositories import REPOSITORIES, Ordinary

each_ordinary = pytest.mark.parametrize(
    "ordinary", REPOSITORIES, ids=lambda ordinary: ordinary.name
)


@each_ordinary
def test_files_that_exist_stay(render: Callable[..., Path], ordinary: Ordinary) -> None:
    repository = ordinary.with_bed(render)
    for path in filter(Path.is_file, ordinary.path.rglob("*")):
        now = repository / path.relative_to(ordinary.path)
        assert now.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "linter",
    ["ruff check --no-cache .", "ruff format --no-cache --check .", "mypy"],
    ids=lambda command: command.split(" --")[0],
)
@each_ordinary
def test_its_own_linters_are_content(
    render: Callable[..., Path], ordinary: Ordinary, linter: str
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *linter.split()],
        cwd=ordinary.with_bed(render),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
