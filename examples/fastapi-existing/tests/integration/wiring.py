"""The one seam between the test bed and your application. Yours: fill it in.

The managed fixtures call these functions with these arguments. Import your application
inside of them, not above: it may read its settings when it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    """Bring an empty database to your newest schema; `own_database` calls it, too.

    With Alembic:

        root = Path(__file__).parents[2]
        config = alembic.config.Config(root / "alembic.ini")
        url = database.url("postgresql+psycopg")
        config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        alembic.command.upgrade(config, "head")
    """


def migration_files() -> Iterable[Path]:
    """What the schema is made of: while it is the same, a kept database is, too.

    With Alembic: `(root / "migrations").rglob("*.py")`. Of nothing, none is kept.
    """
    return []


def create_application(
    database: Endpoint,
    cache: Endpoint,
) -> FastAPI:
    """Build your application, pointed at these services; `faults` gets another one.

    An application that is made when its module is imported:

        os.environ["DATABASE_URL"] = database.url("postgresql+psycopg")
        from your_package.main import app
        return app
    """
    pytest.fail("fill in create_application() in wiring.py first", pytrace=False)


@contextmanager
def use_session_factory(
    application: FastAPI, session_factory: async_sessionmaker[AsyncSession]
) -> Iterator[None]:
    """Make your application take its sessions from here, as long as a test lasts.

    A dependency that makes a session for a request:

        async def get_session() -> AsyncIterator[AsyncSession]:
            async with session_factory() as session:
                yield session

        application.dependency_overrides[get_db] = get_session
        yield

    A sessionmaker in a module, which keeps working wherever it was imported to:

        SessionLocal.configure(
            bind=session_factory.kw["bind"], join_transaction_mode="create_savepoint"
        )
        yield
        SessionLocal.configure(bind=engine)  # your own, for tests elsewhere
    """
    pytest.fail("fill in use_session_factory() in wiring.py first", pytrace=False)
    yield  # to the test
