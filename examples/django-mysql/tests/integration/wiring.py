"""The one seam between the test bed and the application. Yours: change it as you like.

The managed fixtures call these functions with these arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.management import call_command
from rest_framework.test import APIClient

from .support.database import connected_to, migrations_of_apps
from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    """Bring an empty database to the newest schema; `own_database` calls it, too."""
    with connected_to(database):
        call_command("migrate", verbosity=0)


def migration_files() -> Iterable[Path]:
    """What the schema is made of: while it is the same, a kept database is, too."""
    return migrations_of_apps()


def settings(
    cache: Endpoint,
    broker: Endpoint,
) -> dict[str, Any]:
    """The settings that lead to services. DATABASES is seen to."""
    return {
        "CACHES": {
            "default": {
                **django_settings.CACHES["default"],
                "LOCATION": cache.url("redis"),
            }
        },
        "BROKER_URL": broker.url("amqp"),
    }


def create_client() -> APIClient:
    """Make a client of the HTTP API; called for every test that asks for one."""
    return APIClient()
