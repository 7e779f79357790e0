"""The fixtures and hooks of the test bed, for ../conftest.py to import.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import pytest

from . import diagnostics, options, recording, report, statements
from .application import app, application, client, proxied_application
from .database import (
    db_session,
    engine,
    no_other_commits,
    no_other_database,
    session_factory,
)
from .faults import faults, own_database, proxies
from .kafka import broker, empty_broker, kafka, kafka_topic
from .lifecycle import process, services
from .postgres import database, fresh_database, postgres, reset_database, resetter
from .valkey import cache, cache_client, cache_server, empty_cache

__all__ = [
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
    "faults",
    "fresh_database",
    "kafka",
    "kafka_topic",
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
]


def pytest_plugin_registered(manager: pytest.PytestPluginManager) -> None:
    """Register our other hooks, beside those that ../conftest.py may have of its own.

    As plugins they also see session fixtures, for which no conftest's hook is called.
    """
    for module in (diagnostics, options, recording, report, statements):
        if not manager.is_registered(module):
            manager.register(module)
