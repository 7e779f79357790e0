"""The bed works in repositories that were not made for it."""

from __future__ import annotations

import itertools
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..ordinary_repositories import REPOSITORIES, Ordinary
from .conftest import MakeRepository, Repository

BY_NAME = {ordinary.name: ordinary for ordinary in REPOSITORIES}


@pytest.fixture
def ordinary(request: pytest.FixtureRequest) -> Ordinary:
    return BY_NAME[request.param]


@pytest.fixture
def repository(
    ordinary: Ordinary, make_repository: MakeRepository, render: Callable[..., Path]
) -> Repository:
    repository = make_repository(ordinary.name, source=ordinary.with_bed(render))
    repository.plugins += ordinary.plugins
    return repository


def modules_of_tests(repository: Repository, folder: str) -> set[str]:
    found = (repository.path / folder).rglob("test*.py")
    return {path.relative_to(repository.path).as_posix() for path in found}


# Called with their folder, pytest knows the bed before it starts its workers, whatever
# else the repository has: one of each framework will do.
@pytest.mark.parametrize(
    ("ordinary", "arguments"),
    [
        *itertools.product(BY_NAME, ["", "-n 4"]),
        ("fastapi_notes", "tests/integration -n 4"),
        ("flask_guestbook", "tests/integration -n 4"),
        ("django_blog", "tests/integration -n 4"),
    ],
    ids=lambda value: value or "plain",
    indirect=["ordinary"],
)
def test_services_start_once_and_nothing_is_left(
    repository: Repository, arguments: str
) -> None:
    result = repository.pytest("-rp", *arguments.split())
    assert result.code == 0, result.output
    assert set(result.counts) == {"passed"}
    assert result.output.count("testbed: starting") == 1, result.output
    # The bed's own, those of each service, and the repository's.
    passed = set(re.findall(r"^PASSED (\S+?\.py)::", result.output, re.M))
    folder = "tests/integration" if "tests/integration" in arguments else "."
    assert passed == modules_of_tests(repository, folder)
    repository.wait_until_nothing_is_left()


@pytest.mark.parametrize("ordinary", BY_NAME, indirect=True)
def test_without_need_nothing_starts(
    repository: Repository, ordinary: Ordinary
) -> None:
    for argument in (ordinary.elsewhere, "--collect-only"):
        result = repository.pytest(argument)
        assert result.code == 0, result.output
        assert "testbed: starting" not in result.output
        assert repository.containers() == {}


# How runs end is the same code in all, and test_ends.py has more of it. These are here
# for their plugins, which have something to end: an event loop, a database. A kill
# leaves no plugin the time for that, so one of them will do.
@pytest.mark.parametrize(
    ("ordinary", "ending"),
    [
        ("fastapi_notes", signal.SIGINT),
        ("django_library", signal.SIGINT),
        ("django_library", signal.SIGKILL),
    ],
    indirect=["ordinary"],
)
def test_nothing_is_left_after_an_interrupted_run(
    repository: Repository, ending: signal.Signals
) -> None:
    run = repository.start_pytest("-n", "4")
    deadline = time.monotonic() + 60
    while not repository.containers():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(run.pid, ending)
    run.communicate(timeout=60)
    repository.wait_until_nothing_is_left(60)
