"""The fixtures and hooks of the test bed, for ../conftest.py to import.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import pytest

from . import deployments, diagnostics, options, recording, report, statements
from .application import (
    application,
    client,
    deployment,
    django_db_setup,
    proxied_application,
    service_settings,
)
from .database import database_blocker, db, no_other_commits, one_transaction
from .faults import faults, own_database, proxies
from .lifecycle import process, services
from .mysql import database, fresh_database, mysql, reset_database, resetter
from .rabbitmq import broker, empty_broker, rabbitmq, rabbitmq_channel
from .redis import cache, cache_client, cache_server, empty_cache

__all__ = [
    "application",
    "broker",
    "cache",
    "cache_client",
    "cache_server",
    "client",
    "database",
    "database_blocker",
    "db",
    "deployment",
    "django_db_setup",
    "empty_broker",
    "empty_cache",
    "faults",
    "fresh_database",
    "mysql",
    "no_other_commits",
    "one_transaction",
    "own_database",
    "process",
    "proxied_application",
    "proxies",
    "pytest_plugin_registered",
    "rabbitmq",
    "rabbitmq_channel",
    "reset_database",
    "resetter",
    "service_settings",
    "services",
]


def pytest_plugin_registered(manager: pytest.PytestPluginManager) -> None:
    """Register our other hooks, beside those that ../conftest.py may have of its own.

    As plugins they also see session fixtures, for which no conftest's hook is called.
    """
    for module in (deployments, diagnostics, options, recording, report, statements):
        if not manager.is_registered(module):
            manager.register(module)
