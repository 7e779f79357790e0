"""What `testbed adopt` has given a bed passes its tests, with nothing filled in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..ordinary_repositories import REPOSITORIES, Ordinary
from .conftest import MakeRepository

# One of each framework, for which nobody has to change `wiring.py`.
NAMES = ["fastapi_tasks", "flask_inventory", "django_blog"]
ORDINARY = [each for each in REPOSITORIES if each.name in NAMES]


@pytest.mark.parametrize("ordinary", ORDINARY, ids=lambda each: each.name)
def test_the_tests_of_an_adopted_repository_pass(
    make_repository: MakeRepository, tmp_path: Path, ordinary: Ordinary
) -> None:
    # What is there of a bed was written by hand.
    found = tmp_path / "found"
    by_hand = shutil.ignore_patterns("integration")
    shutil.copytree(ordinary.path, found, ignore=by_hand)
    repository = make_repository(ordinary.name, source=found)
    repository.plugins += ordinary.plugins
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "start"],
    ):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *identity, *command], cwd=repository.path, check=True)
    subprocess.run(
        [sys.executable, "-c", "from testbed.cli import run; run()", "adopt", "--yes"],
        cwd=repository.path,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        check=True,
    )
    result = repository.pytest()
    assert result.code == 0, result.output
    assert result.counts.keys() == {"passed"}
    assert "tests/integration/test_isolation.py" in result.output
    repository.wait_until_nothing_is_left()
