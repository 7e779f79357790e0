"""What a failed test tells about the services that it used.

Managed by Testbed: updates change this file. All of it is part of the failure itself,
as that is in a JUnit report, too, without an option of pytest.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator

import pytest

from . import compose, statements
from .endpoints import SERVICES, Endpoint
from .lifecycle import Services

BEGAN = pytest.StashKey[float]()  # when a test's set-up did, in seconds since 1970
ANSWERS_WITHIN = 5.0  # seconds, for a server to tell what it is doing


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what its services did since the test began.

    A service that is no longer there ends the run: all later tests would fail alike.
    """
    services = item.config.stash.get(Services.key, None)
    if call.when == "setup":
        item.stash[BEGAN] = call.start
        if services:
            services.note_use(item)
    report = yield
    if report.failed and services:
        for title, text in _findings(item, services):
            if text:
                _add(report, title, text)
    return report


def _add(report: pytest.TestReport, title: str, text: str) -> None:
    if add_section := getattr(report.longrepr, "addsection", None):
        add_section(title, text)
    else:  # a message without a traceback
        report.longrepr = f"{report.longrepr}\n{f' {title} ':-^80}\n{text}"


def _findings(item: pytest.Item, services: Services) -> Iterator[tuple[str, str]]:
    """What there is to tell, each with its title; nothing where a text is empty."""
    used = [name for name in SERVICES if name in getattr(item, "fixturenames", ())]
    if "database" in getattr(item, "fixturenames", ()):
        yield statements.summary()
    try:
        lost = services.lost()
    except compose.DockerError as error:
        yield "docker", str(error)
        lost = {}
    for name in used:
        use = services.uses.get(name)
        if use and use.activity and name not in lost:
            title = f"{SERVICES[name].title}, as the test failed"
            yield title, ask(use.activity, use.own)
    for name in used:
        if name not in services.containers:
            continue
        title = SERVICES[name].title
        # Not what it said as it started for this test, if it has ever answered.
        use = services.uses.get(name)
        since = f"{max(item.stash[BEGAN], use.answered_at if use else 0):.3f}"
        if name in lost:
            item.session.shouldfail = f"{title} was lost during the run"
            yield item.session.shouldfail, lost[name]
            since = ""  # what it said last, however long ago
        yield f"{title} log", compose.logs(services.containers[name], since=since)


def ask(question: Callable[[Endpoint], str], endpoint: Endpoint) -> str:
    """The answer of a server, which may hang or fail where its tests do."""
    answers = queue.SimpleQueue[str]()

    def answer() -> None:
        try:
            answers.put(question(endpoint))
        except Exception as error:
            answers.put(f"(no answer: {error})")

    threading.Thread(target=answer, daemon=True).start()
    try:
        return answers.get(timeout=ANSWERS_WITHIN)
    except queue.Empty:
        return f"(no answer within {ANSWERS_WITHIN:.0f} s)"
