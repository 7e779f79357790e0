"""The one seam between the test bed and your application. Yours: fill it in.

The managed fixtures call these functions with these arguments. Import your application
inside of them, not above: it may read its settings when it is imported.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import psycopg
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    """Bring an empty database to your newest schema; called once in a test run."""
    with psycopg.connect(database.url("postgresql")) as connection:
        connection.execute("CREATE TABLE notes (name text PRIMARY KEY)")


def create_application(
    database: Endpoint,
    cache: Endpoint,
) -> FastAPI:
    """Build your application, pointed at these services; called once in a process."""
    from notes.api import create_app

    return create_app(database.url("postgresql+psycopg"), cache.url("redis"))


@contextmanager
def use_session_factory(
    application: FastAPI, session_factory: async_sessionmaker[AsyncSession]
) -> Iterator[None]:
    """Make your application take its sessions from here, as long as a test lasts."""
    from notes.api import get_session

    async def get_session_of_test() -> AsyncIterator[AsyncSession]:
        async with session_factory() as session:
            yield session

    application.dependency_overrides[get_session] = get_session_of_test
    yield
