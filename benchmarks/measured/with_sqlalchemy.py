"""The tests that isolation.py measures in a repository that uses SQLAlchemy."""

from __future__ import annotations

import time

import pytest
import shop.models  # noqa: F401
from shop.database import Base
from sqlalchemy import Column, Integer, Table, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .support.statements import committed_elsewhere

pytestmark = pytest.mark.anyio

SELECT = text("SELECT 1")
IN_SCRATCH = {"schema_translate_map": {None: "scratch"}}


async def test_nothing():
    """What pytest and the plugins take for any test."""


async def test_round_trip(resetter, record_property):
    """The bare round trip, by the driver: no test can ask the server for less."""
    with resetter.cursor() as cursor:
        begin = time.perf_counter()
        cursor.execute("SELECT 1")
        cursor.fetchall()
        record_property("seconds", time.perf_counter() - begin)


@pytest.fixture
async def recipe(engine):
    """What SQLAlchemy's documentation tells to do, in one fixture without any more."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        async with AsyncSession(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        ) as session:
            yield session
        await transaction.rollback()


async def test_recipe(recipe):
    await recipe.execute(SELECT)


@pytest.fixture
async def same_statements(engine):
    """All that our fixture sends, and nothing else of it.

    On MySQL it asks besides whether the transaction is still there.
    """
    is_mysql = engine.dialect.name == "mysql"
    async with engine.connect() as connection:
        await connection.begin()
        if is_mysql:
            await connection.execute(text("SAVEPOINT testbed"))
        async with AsyncSession(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        ) as session:
            yield session
        if is_mysql:
            await connection.execute(text("ROLLBACK TO SAVEPOINT testbed"))


async def test_same_statements(same_statements):
    await same_statements.execute(SELECT)


async def test_fixture(db_session):
    """Our fixture: the test's transaction is rolled back."""
    await db_session.execute(SELECT)


@pytest.mark.commits
async def test_commits(db_session):
    """Our fixture with real commits: all tables are put back by testbed's reset."""
    await db_session.execute(SELECT)


@pytest.mark.slow
@pytest.mark.fresh_database
async def test_fresh_database(db_session):
    """Our fixture with a database of the test's own, a copy of the migrated one."""
    await db_session.execute(SELECT)


def add_models(connection):
    """Models of the tables that the benchmark's migration has added."""
    for name in inspect(connection).get_table_names():
        if name.startswith("more_"):
            Table(name, Base.metadata, Column("id", Integer, primary_key=True))


@pytest.fixture(scope="session")
async def scratch(engine):
    """A schema beside the repository's own tables, which stay where they are."""
    async with engine.begin() as connection:
        await connection.run_sync(add_models)
        await connection.execute(text("CREATE SCHEMA scratch"))
    yield
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA scratch"))


@pytest.fixture
async def create_all(engine, scratch):
    """create_all and drop_all of the models' tables around the test."""
    async with engine.begin() as connection:
        in_scratch = await connection.execution_options(**IN_SCRATCH)
        await in_scratch.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine)() as session:
        yield session
    async with engine.begin() as connection:
        in_scratch = await connection.execution_options(**IN_SCRATCH)
        await in_scratch.run_sync(Base.metadata.drop_all)
    committed_elsewhere.clear()  # or our bed would fail this test


@pytest.mark.slow
async def test_create_all(create_all):
    await create_all.execute(SELECT)
