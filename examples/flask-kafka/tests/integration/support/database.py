"""Database sessions that leave nothing behind.

Managed by Testbed: updates change this file.

By default a test runs inside a transaction that is rolled back. The application may
commit and roll back as it likes: for its sessions the transaction is a savepoint. A
test marked `commits` gets real commits instead, which other connections see; after it
all tables are as the migrations left them. It is for sessions that overlap, too: of two
that are open at once, savepoints are undone with the one that was opened first.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from .endpoints import Endpoint
from .factories import current_session


@pytest.fixture(scope="session")
def engine(database: Endpoint) -> Iterator[Engine]:
    """Connections to the process's own database."""
    engine = create_engine(database.url("postgresql+psycopg"))
    yield engine
    engine.dispose()


@pytest.fixture
def session_factory(
    request: pytest.FixtureRequest, engine: Engine
) -> Iterator[sessionmaker[Session]]:
    """Makes the sessions of this test: the application's and the test's own."""
    if request.node.get_closest_marker("commits"):
        yield sessionmaker(engine, expire_on_commit=False)
        return
    with engine.connect() as connection:
        transaction = connection.begin()
        # Named, as by default a rollback in the application would end our transaction:
        # what it had committed before would be gone for the rest of the test.
        yield sessionmaker(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )
        transaction.rollback()


@pytest.fixture
def db_session(
    session_factory: sessionmaker[Session],
) -> Iterator[Session]:
    """The test's own session; the factories use it, too."""
    with session_factory() as session:
        token = current_session.set(session)
        yield session
        current_session.reset(token)
