"""Database sessions that leave nothing behind.

Managed by Testbed: updates change this file.

By default a test runs inside a transaction that is rolled back. The application may
commit and roll back as it likes: for its sessions the transaction is a savepoint. A
test marked `commits` gets real commits instead, which other connections see; after it
all tables are as the migrations left them. It is for sessions that overlap, too: of two
that are open at once, savepoints are undone with the one that was opened first. A test
marked `fresh_database` commits to a database of its own, whose tables it may change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import Dialect, Engine, event
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import QueuePool

from .endpoints import Endpoint
from .factories import current_session
from .guard import refuse_other_server
from .options import has_real_commits
from .postgres import reset
from .statements import committed_elsewhere, forget


@pytest.fixture(scope="session")
async def engine(database: Endpoint) -> AsyncIterator[AsyncEngine]:
    """Connections to the process's own database; one event loop serves all tests."""
    forget()  # what migrations have run
    engine = _make_engine(database)
    yield engine
    await engine.dispose()


def _make_engine(database: Endpoint) -> AsyncEngine:
    return create_async_engine(database.url("postgresql+psycopg"))


@pytest.fixture(autouse=True)
def no_other_database() -> Iterator[None]:
    """A test connects to the test bed's servers, or SQLAlchemy to none.

    An engine that a module made of the developer's settings would write to the
    developer's own database, or to whatever a tunnel leads to.
    """

    def check(dialect: Dialect, _: object, __: object, where: dict[str, Any]) -> None:
        if dialect.name != "sqlite":
            port = int(where.get("port") or 5432)
            refuse_other_server(where.get("host") or "", port)

    event.listen(Engine, "do_connect", check)
    yield
    event.remove(Engine, "do_connect", check)


@pytest.fixture(autouse=True)
def no_other_commits(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that is rolled back commits nothing on another connection.

    In a thread, say, or by an engine of the application's own: what that wrote would
    be there for all later tests. A test that does so fails, and it is undone.
    """
    if "database" not in request.fixturenames or has_real_commits(request.node):
        yield
        return
    database: Endpoint = request.getfixturevalue("database")
    committed_elsewhere.clear()  # by fixtures of the whole run
    yield
    if committed_elsewhere:
        reset(database)
        pytest.fail(
            "This test is rolled back in the end, but has committed this on another"
            f" connection:\n{committed_elsewhere[0]}\nMark the test `commits`, or give"
            " that code the sessions of the test.",
            pytrace=False,
        )


@pytest.fixture
async def session_factory(
    request: pytest.FixtureRequest, engine: AsyncEngine
) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Makes the sessions of this test: the application's and the test's own."""
    if has_real_commits(request.node):
        is_fresh = request.node.get_closest_marker("fresh_database")
        if is_fresh:
            engine = _make_engine(request.getfixturevalue("fresh_database"))
        yield async_sessionmaker(engine, expire_on_commit=False)
        pool: QueuePool = engine.pool  # type: ignore[assignment]
        left_open = pool.checkedout()
        if is_fresh or left_open:
            await engine.dispose()
        if left_open:
            pytest.fail(
                f"This test leaves {left_open} connections open, with their locks: a"
                " session of the application or of the test was not closed.",
                pytrace=False,
            )
        return
    async with engine.connect() as connection:
        transaction = await connection.begin()
        # Named, as by default a rollback in the application would end our transaction:
        # what it had committed before would be gone for the rest of the test.
        yield async_sessionmaker(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )
        await transaction.rollback()


@pytest.fixture
async def db_session(
    session_factory: async_sessionmaker[AsyncSession],
) -> AsyncIterator[AsyncSession]:
    """The test's own session; the factories use it, too."""
    async with session_factory() as session:
        token = current_session.set(session)
        yield session
        current_session.reset(token)
