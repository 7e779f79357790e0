"""Stacks that differ in one answer differ in what that answer is about, and no more.

To look at two of them side by side, render both and run `diff -r`.
"""

from __future__ import annotations

import filecmp
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

Render = Callable[..., Path]

TESTS = "tests/integration"
# Where a service's name is; the second list is where its client is, too.
NAME = [
    ".copier-answers.yml",
    "docker-compose.test.yml",
    f"{TESTS}/README.md",
    f"{TESTS}/support/endpoints.py",
    f"{TESTS}/support/plugin.py",
]
CLIENT = [
    *NAME,
    "README.md",
    "pyproject.toml",
    f"{TESTS}/requirements.txt",
    f"{TESTS}/wiring.py",
]
OWN_FILES = [f"{TESTS}/support/{{}}.py", f"{TESTS}/test_{{}}.py"]
DIFFERING = {
    ("cache", "redis", "valkey"): [*NAME, "src/shop/cache.py"],
    ("broker", "rabbitmq", "kafka"): [
        *CLIENT,
        "src/shop/messaging.py",
        f"{TESTS}/support/faults.py",
        f"{TESTS}/test_order_workflow.py",
        f"{TESTS}/test_outbox.py",
        "tests/unit/conftest.py",
    ],
    ("database", "postgres", "mysql"): [
        *CLIENT,
        "src/shop/errors.py",
        "src/shop/migrations/*.py",
        "src/shop/models.py",
        "src/shop/schemas.py",
        "src/shop/timestamps.py",
        f"{TESTS}/support/database.py",
        f"{TESTS}/support/faults.py",
        f"{TESTS}/test_database.py",
        f"{TESTS}/test_isolation.py",
        "tests/unit/conftest.py",
    ],
}
# Django keeps services in its settings, and moments in its own way.
DJANGO = {
    "cache": [f"{TESTS}/support/deployments.py"],
    "broker": [f"{TESTS}/support/deployments.py", "tests/settings_for_tests.py"],
    "database": [
        "src/shop/errors.py",
        "src/shop/models.py",
        "src/shop/settings.py",
        f"{TESTS}/test_database.py",
        "tests/settings_for_tests.py",
        "tests/unit/test_errors.py",
        "tests/unit/test_settings.py",
    ],
}


def names(repository: Path, folder: str = "") -> set[str]:
    """The paths of the files below a folder of a repository."""
    found = (path for path in (repository / folder).rglob("*") if path.is_file())
    return {path.relative_to(repository).as_posix() for path in found}


def differing(one: Path, other: Path) -> set[str]:
    """The paths of files that only one of them has, or that are not equal."""
    either = names(one) | names(other)
    equal, _, _ = filecmp.cmpfiles(one, other, either, shallow=False)
    return either - set(equal)


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
@pytest.mark.parametrize("answer", DIFFERING, ids=lambda answer: answer[0])
def test_another_service_changes_what_speaks_of_it(
    render: Render, answer: tuple[str, str, str], framework: str
) -> None:
    question, *services = answer
    repositories = [
        render(framework=framework, **{question: service}) for service in services
    ]
    own = [file.format(service) for file in OWN_FILES for service in services]
    also = DJANGO[question] if framework == "django" else []
    for name in differing(*repositories):
        assert any(fnmatch(name, known) for known in DIFFERING[answer] + own + also)


@pytest.mark.parametrize("framework", ["flask", "django"])
def test_another_framework_changes_its_own_part_of_the_bed(
    render: Render, framework: str
) -> None:
    fastapi = render(framework="fastapi", database_access="sync", starter=False)
    support = {"application", "database", "deployments", "factories", "plugin"}
    known = {f"{TESTS}/support/{module}.py" for module in support | {"recording"}}
    known |= {f"{TESTS}/{name}" for name in ("test_isolation.py", "wiring.py")}
    known |= {f"{TESTS}/{name}" for name in ("README.md", "requirements.txt")}
    known.add(".copier-answers.yml")
    assert differing(fastapi, render(framework=framework, starter=False)) <= known


def test_whoever_knows_one_framework_finds_the_tests_of_another(
    render: Render,
) -> None:
    fastapi = names(render(framework="fastapi", database_access="sync"), TESTS)
    assert fastapi - names(render(framework="flask"), TESTS) == {
        f"{TESTS}/test_stock_feed.py"
    }
    django = names(render(framework="django"), TESTS)
    # Its example has no outbox.
    own = {f"{TESTS}/test_{name}.py" for name in ("outbox", "stock_feed")}
    assert fastapi - django == own
    assert django - fastapi == {f"{TESTS}/support/deployments.py"}
