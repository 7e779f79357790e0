"""The fixtures and hooks of the test bed, for ../conftest.py to import.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import asyncio
import sys

import pytest

from . import async_tests, diagnostics, options
from .application import app, application, client
from .database import db_session, engine, session_factory
from .kafka import broker, empty_broker, kafka, kafka_topic
from .lifecycle import process, services
from .postgres import database, postgres, reset_database, resetter
from .redis import cache, cache_client, cache_server, empty_cache

__all__ = [
    "anyio_backend",
    "app",
    "application",
    "broker",
    "cache",
    "cache_client",
    "cache_server",
    "client",
    "database",
    "db_session",
    "empty_broker",
    "empty_cache",
    "engine",
    "kafka",
    "kafka_topic",
    "postgres",
    "process",
    "pytest_plugin_registered",
    "reset_database",
    "resetter",
    "services",
    "session_factory",
]


def pytest_plugin_registered(manager: pytest.PytestPluginManager) -> None:
    """Register our other hooks, beside those that ../conftest.py may have of its own.

    As plugins they also see session fixtures, for which no conftest's hook is called.
    """
    for module in (async_tests, diagnostics, options):
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
