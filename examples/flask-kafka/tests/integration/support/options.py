"""What pytest has to know of the test bed.

Managed by Testbed: updates change this file. Nothing in the bed needs an option in the
repository's own pytest configuration.
"""

from __future__ import annotations

import os

import pytest

_LEFT_OUT = pytest.StashKey[set[str]]()
_OPTIONS = {
    "keep_services": "leave services running for the next run",
    "services_report": "show a table of the services that were used, in the end",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, where pytest knows this folder when it reads them."""
    group = parser.getgroup("testbed")
    for name, purpose in _OPTIONS.items():
        group.addoption(
            f"--{name.replace('_', '-')}",
            action="store_true",
            help=f"{purpose}; TEST_{name.upper()}=1 does the same where pytest does not"
            " know this option",
        )


def is_set(config: pytest.Config, name: str) -> bool:
    """Whether there is an option, or the variable that stands for it."""
    variable = os.environ.get(f"TEST_{name.upper()}", "")
    return config.getoption(name, default=False) or variable not in ("", "0")


def has_real_commits(item: pytest.Item) -> bool:
    """Whether a test commits for real, by its marks."""
    return any(map(item.get_closest_marker, ("commits", "fresh_database")))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, but for `slow` where the repository has one of its own."""
    own = {line.partition(":")[0].strip() for line in config.getini("markers")}
    config.stash[_LEFT_OUT] = {"disruptive", "slow"} - own
    for marker in (
        "commits: real commits, seen by other connections, and cleaned up",
        "fresh_database: real commits to a database of the test's own",
        "disruptive: stops a server of its own; runs with `-m disruptive` alone",
        "slow: measures something; runs with `-m slow` alone",
    ):
        if marker.partition(":")[0] not in own:
            config.addinivalue_line("markers", marker)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out tests with a marker of those that take long, unless `-m` names it."""
    expression = config.getoption("markexpr")
    markers = [name for name in config.stash[_LEFT_OUT] if name not in expression]
    left_out = [item for item in items if any(map(item.get_closest_marker, markers))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
