"""What a failed test tells about the services that it used.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from . import compose
from .endpoints import SERVICES
from .lifecycle import Services, ready


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what its services logged since the test began.

    A service that is no longer there ends the run: all later tests would fail alike.
    """
    report = yield
    services = item.config.stash.get(Services.key, None)
    if not report.failed or services is None or not services.containers:
        return report
    try:
        now = compose.containers()
    except compose.DockerError as error:
        report.sections.append(("docker", str(error)))
        return report
    for name, container in services.containers.items():
        if name not in getattr(item, "fixturenames", ()):
            continue
        service = SERVICES[name]
        since = f"{call.start:.3f}"
        if not ready(service, now):
            item.session.shouldfail = f"{service.title} stopped during the run"
            report.sections.append((item.session.shouldfail, _states(name, now)))
            since = ""  # what it said last, however long ago
        if text := compose.logs(container, since=since):
            report.sections.append((f"{service.title} log", text))
    return report


def _states(name: str, containers: list[compose.Container]) -> str:
    found = [
        f"container {container.state}, health check: {container.health}"
        for container in containers
        if container.service == name
    ]
    return "\n".join(found) or "its container is gone"
