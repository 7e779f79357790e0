"""What a failed test tells about the services that it used.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from . import compose
from .endpoints import SERVICES
from .lifecycle import Services

BEGAN = pytest.StashKey[float]()  # when a test's set-up did, in seconds since 1970


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what its services logged since the test began.

    A service that is no longer there ends the run: all later tests would fail alike.
    """
    if call.when == "setup":
        item.stash[BEGAN] = call.start
    report = yield
    services = item.config.stash.get(Services.key, None)
    if not report.failed or services is None or not services.containers:
        return report
    try:
        lost = services.lost()
    except compose.DockerError as error:
        report.sections.append(("docker", str(error)))
        return report
    for name, container in services.containers.items():
        if name not in getattr(item, "fixturenames", ()):
            continue
        title = SERVICES[name].title
        since = f"{item.stash[BEGAN]:.3f}"
        if name in lost:
            item.session.shouldfail = f"{title} was lost during the run"
            report.sections.append((item.session.shouldfail, lost[name]))
            since = ""  # what it said last, however long ago
        if text := compose.logs(container, since=since):
            report.sections.append((f"{title} log", text))
    return report
