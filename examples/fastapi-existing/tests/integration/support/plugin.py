"""The fixtures and hooks of the test bed, for ../conftest.py to import.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import asyncio
import sys

import pytest

from . import async_tests, diagnostics, options, recording, report, statements
from .application import (
    app,
    application,
    client,
    proxied_application,
    tested_application,
)
from .database import (
    db_session,
    engine,
    no_other_commits,
    no_other_database,
    session_factory,
)
from .faults import faults, own_database, proxies
from .lifecycle import process, services
from .postgres import database, fresh_database, postgres, reset_database, resetter
from .redis import cache, cache_client, cache_server, empty_cache

__all__ = [
    "anyio_backend",
    "app",
    "application",
    "cache",
    "cache_client",
    "cache_server",
    "client",
    "database",
    "db_session",
    "empty_cache",
    "engine",
    "faults",
    "fresh_database",
    "no_other_commits",
    "no_other_database",
    "own_database",
    "postgres",
    "process",
    "proxied_application",
    "proxies",
    "pytest_plugin_registered",
    "reset_database",
    "resetter",
    "services",
    "session_factory",
    "tested_application",
]


def pytest_plugin_registered(manager: pytest.PytestPluginManager) -> None:
    """Register our other hooks, beside those that ../conftest.py may have of its own.

    As plugins they also see session fixtures, for which no conftest's hook is called.
    """
    for module in (async_tests, diagnostics, options, recording, report, statements):
        if not manager.is_registered(module):
            manager.register(module)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, object]]:
    """The event loop of tests marked `anyio`; in session scope, they share one."""
    backend_options: dict[str, object] = {}
    if sys.platform == "win32":
        # The usual loop on Windows is not one that every client can use.
        backend_options["loop_factory"] = asyncio.SelectorEventLoop
    return "asyncio", backend_options
