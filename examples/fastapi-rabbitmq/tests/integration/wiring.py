"""The one seam between the test bed and the application. Yours: change it as you like.

The managed fixtures call these functions with these arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import alembic.command
import alembic.config
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from shop.database import get_session_factory
from shop.main import create_app
from shop.settings import Settings

from .support.endpoints import Endpoint

ROOT = Path(__file__).parents[2]


def migrate(database: Endpoint) -> None:
    """Bring an empty database to the newest schema; `own_database` calls it, too."""
    config = alembic.config.Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = database.url("postgresql+psycopg")
    alembic.command.upgrade(config, "head")


def migration_files() -> Iterable[Path]:
    """What the schema is made of: while it is the same, a kept database is, too."""
    package = ROOT / "src" / "shop"
    return (package / "migrations").rglob("*.py")


def create_application(
    database: Endpoint,
    cache: Endpoint,
    broker: Endpoint,
) -> FastAPI:
    """Build the application, pointed at these services; `faults` gets another one."""
    return create_app(
        Settings(
            database_url=database.url("postgresql+psycopg"),
            cache_url=cache.url("redis"),
            broker_url=broker.url("amqp"),
            relay_seconds=0.2,  # or tests would wait
            exchange_rates_url="http://127.0.0.1:1",  # nowhere
            secret_key=SecretStr("insecure-integration-test-key-not-a-secret"),
        )
    )


@contextmanager
def use_session_factory(
    application: FastAPI, session_factory: async_sessionmaker[AsyncSession]
) -> Iterator[None]:
    """Make the application take its sessions from here, as long as a test lasts."""
    application.dependency_overrides[get_session_factory] = lambda: session_factory
    yield
    # A test may have cleared them all.
    application.dependency_overrides.pop(get_session_factory, None)
