"""The one seam between the test bed and your application. Yours: fill it in.

The managed fixtures call these functions with these arguments. Import your application
inside of them, not above: it may read its settings when it is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    """Bring an empty database to your newest schema; called once in a test run."""
    from app.db import Base

    engine = create_engine(database.url("postgresql+psycopg"))
    Base.metadata.create_all(engine)
    engine.dispose()


def create_application(
    database: Endpoint,
) -> FastAPI:
    """Build your application, pointed at these services; called once in a process."""
    # Whatever your settings are called: they are read when it is imported, or built.
    os.environ["DATABASE_URL"] = database.url("postgresql+psycopg")
    from app.main import app

    return app


@contextmanager
def use_session_factory(
    application: FastAPI, session_factory: async_sessionmaker[AsyncSession]
) -> Iterator[None]:
    """Make your application take its sessions from here, as long as a test lasts."""
    from app.db import SessionLocal, engine

    application.dependency_overrides.clear()  # of other tests, which have no database
    SessionLocal.configure(
        bind=session_factory.kw["bind"], join_transaction_mode="create_savepoint"
    )
    yield
    SessionLocal.configure(bind=engine)  # your own, for tests elsewhere
