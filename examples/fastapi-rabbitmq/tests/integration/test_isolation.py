"""No test sees what another one did. Managed by Testbed: do not edit.

Every test here but the last comes twice or more, and finds the world empty each time:
whichever runs first, alone, in parallel or in random order, the others would see what
it left behind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from .support.endpoints import Endpoint
from .support.processes import Process

pytestmark = pytest.mark.anyio

SessionFactory = async_sessionmaker[AsyncSession]

COUNT = text("SELECT count(*) FROM isolation_probe")
INSERT = text("INSERT INTO isolation_probe (name) VALUES (:name)")


@pytest.fixture(scope="module", autouse=True)
async def isolation_probe(engine: AsyncEngine) -> AsyncIterator[None]:
    """A table of our own, so that the proof needs none of the application's."""
    async with engine.begin() as connection:
        await connection.execute(
            text("CREATE TABLE isolation_probe (name varchar(20) UNIQUE)")
        )
    yield
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE isolation_probe"))


@pytest.fixture(params=["first", "second"])
def visit(request: pytest.FixtureRequest) -> str:
    """Makes a test come twice."""
    return str(request.param)


async def rows(session: AsyncSession) -> int:
    return int((await session.execute(COUNT)).scalar_one())


async def test_a_commit_is_undone(db_session: AsyncSession, visit: str) -> None:
    assert await rows(db_session) == 0
    await db_session.execute(INSERT, {"name": "committed"})
    await db_session.commit()
    assert await rows(db_session) == 1


async def test_a_rollback_keeps_what_was_committed(
    db_session: AsyncSession,
    visit: str,
) -> None:
    assert await rows(db_session) == 0
    await db_session.execute(INSERT, {"name": "committed"})
    await db_session.commit()
    await db_session.execute(INSERT, {"name": "rolled back"})
    await db_session.rollback()
    assert await rows(db_session) == 1
    await db_session.execute(INSERT, {"name": "again"})
    await db_session.commit()
    assert await rows(db_session) == 2


async def test_an_integrity_error_is_survived(
    db_session: AsyncSession,
    visit: str,
) -> None:
    assert await rows(db_session) == 0
    await db_session.execute(INSERT, {"name": "unique"})
    await db_session.commit()
    with pytest.raises(IntegrityError):
        await db_session.execute(INSERT, {"name": "unique"})
    await db_session.rollback()
    assert await rows(db_session) == 1


async def test_sessions_of_one_test_see_each_other(
    session_factory: SessionFactory, visit: str
) -> None:
    async with session_factory() as writer, session_factory() as reader:
        assert await rows(reader) == 0
        await writer.execute(INSERT, {"name": "shared"})
        await writer.commit()
        assert await rows(reader) == 1


async def test_another_connection_sees_nothing(
    db_session: AsyncSession, engine: AsyncEngine, visit: str
) -> None:
    await db_session.execute(INSERT, {"name": "committed"})
    await db_session.commit()
    async with engine.connect() as other:
        assert (await other.execute(COUNT)).scalar_one() == 0


@pytest.mark.commits
async def test_a_real_commit_is_seen_by_others_and_removed(
    db_session: AsyncSession, engine: AsyncEngine, visit: str
) -> None:
    assert await rows(db_session) == 0
    await db_session.execute(INSERT, {"name": "committed"})
    await db_session.commit()
    async with engine.connect() as other:
        assert (await other.execute(COUNT)).scalar_one() == 1


@pytest.mark.fresh_database
async def test_the_tables_of_a_fresh_database_may_be_changed(
    db_session: AsyncSession, visit: str
) -> None:
    # There is no such table yet: ours is in the database of the other tests.
    await db_session.execute(text("CREATE TABLE isolation_probe (name varchar(20))"))
    await db_session.commit()
    assert await rows(db_session) == 0


async def test_this_process_has_a_database_of_its_own(
    database: Endpoint, postgres: Endpoint, process: Process
) -> None:
    assert database.database == process.name != postgres.database
