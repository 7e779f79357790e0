"""Tests marked `anyio` run on anyio, whatever else the repository runs its tests with.

Managed by Testbed: updates change this file.

All of them share one event loop, as a database connection cannot change loops. A
repository may have pytest-asyncio in `auto` mode, which claims every coroutine that it
sees; what follows keeps it from those that are marked for anyio.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Generator
from typing import cast

import anyio.pytest_plugin
import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Let anyio see the async fixtures of its tests before any other plugin does."""
    setup = anyio.pytest_plugin.pytest_fixture_setup(fixturedef, request)
    # Its annotation leaves out that it returns what it was sent.
    return (yield from cast("Generator[None, object, object]", setup))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make the items of anyio's tests plain ones, which no other plugin runs."""
    for index, item in enumerate(items):
        if (
            isinstance(item, pytest.Function)
            and type(item) is not pytest.Function
            and inspect.iscoroutinefunction(item.function)
            and item.get_closest_marker("anyio")
        ):
            items[index] = pytest.Function.from_parent(
                item.parent,
                name=item.name,
                callspec=getattr(item, "callspec", None),
                callobj=item.obj,
                fixtureinfo=item._fixtureinfo,
                keywords=item.keywords,
                originalname=item.originalname,
            )


def pytest_unconfigure() -> None:
    """End anyio's worker threads, which outlive a test that Ctrl-C has ended.

    At its own end Python would wait for them, for ever.
    """
    for thread in threading.enumerate():
        stop = getattr(thread, "stop", None)
        if thread.name == "AnyIO worker thread" and stop is not None:
            stop()
