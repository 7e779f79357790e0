"""Every combination of stack answers, and what linters are to see of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ..stacks import Stack, every_stack

# Answers that change names and depths rather than files.
VARIANTS: list[Stack] = [
    {"project_name": "A project with a name of forty chars - x"},
    {"package_name": "a_package_with_a_name_of_forty_character", "tests_dir": "tests"},
    {"starter": False, "tests_dir": "some/deep/tree/of/tests"},
    {"image_registry": "registry.example.com:5000/docker-hub"},
    {"versions": {"postgres": 16, "redis": 7, "rabbitmq": 3}},
    {"broker": "kafka", "versions": {"kafka": 3}, "image_registry": "mirror.test"},
    {"database": "mysql", "versions": {"mysql": 8.4}, "cache": "none"},
]
STACKS = every_stack() + VARIANTS


def files(repositories: list[Path], pattern: str = "*") -> list[Path]:
    """The files of that name in all repositories; of equal ones, the first."""
    found: dict[tuple[Path, bytes], Path] = {}
    for repository in repositories:
        for path in repository.rglob(pattern):
            if path.is_file():
                key = (path.relative_to(repository), path.read_bytes())
                found.setdefault(key, path)
    return list(found.values())


def run(*command: object, cwd: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
