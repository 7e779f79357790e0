"""Tests that break out of their isolation are named, and databases are made once."""

from __future__ import annotations

import pytest

from .conftest import MakeRepository, Repository

COMMITS_ELSEWHERE = """\
from threading import Thread

import pytest
from sqlalchemy import text

pytestmark = pytest.mark.anyio

INSERT = text(
    "INSERT INTO products (sku, name, price_cents, stock) VALUES ('a', 'b', 1, 1)"
)


async def test_commits_by_an_engine_of_its_own(engine):
    async with engine.begin() as connection:
        await connection.execute(INSERT)


async def test_finds_nothing_of_that(db_session):
    assert await db_session.scalar(text("SELECT count(*) FROM products")) == 0


async def test_reads_and_rolls_back_elsewhere(engine):
    async with engine.begin() as connection:
        await connection.execute(text("SELECT * FROM products"))
    async with engine.connect() as connection:
        await connection.execute(INSERT)


@pytest.mark.commits
async def test_leaves_a_session_open(session_factory):
    session = session_factory()
    await session.execute(text("SELECT 1"))
    pytest.forgotten = session


@pytest.mark.commits
async def test_closes_its_session(session_factory):
    async with session_factory() as session:
        await session.execute(INSERT)
        await session.commit()
"""

COMMITS_ELSEWHERE_IN_DJANGO = """\
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import TestCase


def insert():
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_product (sku, name, price_cents, stock)"
            " VALUES ('a', 'b', 1, 1)"
        )


def in_a_thread(function):
    def run():
        try:
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(run).result()


def count():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_product")
        return cursor.fetchone()[0]


def test_commits_in_a_thread(db):
    in_a_thread(insert)


def test_finds_nothing_of_that(db):
    assert count() == 0


def test_reads_in_a_thread(db):
    insert()
    assert in_a_thread(count) == 0


@pytest.mark.commits
def test_that_commits_may_do_so_in_a_thread(db):
    in_a_thread(insert)
    assert count() == 1


@pytest.mark.django_db(transaction=True)
def test_in_the_words_of_pytest_django():
    in_a_thread(insert)
    insert_and_count = in_a_thread(count)
    assert insert_and_count == 1


class TestInAClass(TestCase):
    def test_commits_in_a_thread(self):
        in_a_thread(insert)

    def test_finds_nothing_of_that(self):
        assert count() == 0
"""

COUNTS_MIGRATIONS = """

from .support.endpoints import Endpoint  # noqa: E402

_migrate = migrate


def migrate(database: Endpoint) -> None:
    with (ROOT / "migrations.log").open("a") as log:
        print(database.database, file=log)
    _migrate(database)
"""


@pytest.mark.parametrize("database", ["postgres", "mysql"])
def test_a_commit_on_another_connection_is_named_where_it_was(
    make_repository: MakeRepository, database: str
) -> None:
    repository = make_repository(database=database, cache="none", broker="none")
    module = repository.add_test("elsewhere", COMMITS_ELSEWHERE)
    result = repository.pytest(module, "-p", "no:randomly", COLUMNS="200")
    assert result.counts == {"passed": 5, "errors": 2}, result.output
    assert "::test_commits_by_an_engine_of_its_own - Failed: This" in result.output
    assert "::test_leaves_a_session_open - Failed: This" in result.output
    assert "INSERT INTO products" in result.output
    assert "This test leaves 1 connections open" in result.output


def test_a_commit_in_a_thread_is_named_where_it_was_in_django(
    make_repository: MakeRepository,
) -> None:
    repository = make_repository(framework="django", cache="none", broker="none")
    module = repository.add_test("elsewhere", COMMITS_ELSEWHERE_IN_DJANGO)
    result = repository.pytest(module, COLUMNS="200")
    assert result.counts == {"passed": 7, "errors": 2}, result.output
    for test in ("", "TestInAClass::"):
        assert f"::{test}test_commits_in_a_thread - Failed: This" in result.output
    assert "INSERT INTO shop_product" in result.output


@pytest.mark.parametrize(
    ("framework", "database"),
    [("fastapi", "postgres"), ("flask", "mysql"), ("django", "mysql")],
)
def test_kept_services_keep_the_migrated_database_until_its_migrations_change(
    make_repository: MakeRepository, framework: str, database: str
) -> None:
    answers = {"framework": framework, "database": database}
    repository = make_repository(**answers, cache="none", broker="none")
    wiring = repository.path / "tests/integration/wiring.py"
    counting = COUNTS_MIGRATIONS
    if framework == "django":
        counting = "ROOT = Path(__file__).parents[2]\n" + counting
    wiring.write_text(f"{wiring.read_text()}\n\n{counting}")

    def run(*arguments: str) -> list[str]:
        """The names of the templates that were migrated by now."""
        module = "tests/integration/test_isolation.py"
        result = repository.pytest(module, *arguments)
        assert result.code == 0, result.output
        return (repository.path / "migrations.log").read_text().split()

    first = run("--keep-services")
    assert len(first) == 1
    assert run("-n", "2") == first
    (migration,) = repository.path.glob("src/shop/migrations/**/0001_initial.py")
    migration.write_text(migration.read_text() + "\n# Changed.\n")
    _, second = run()
    assert second != first[0]
    assert run() == [*first, second]
    assert not any(repository.leftovers().values())
    assert first[0].removesuffix("_unfinished") not in databases(repository, database)


def databases(repository: Repository, service: str) -> str:
    """What databases there are, as the server lists them."""
    command = {
        "postgres": ("psql", "-h127.0.0.1", "-Utest", "-l"),
        "mysql": ("mysql", "-h127.0.0.1", "-uroot", "-ptest", "-e", "SHOW DATABASES"),
    }
    return repository.execute(service, *command[service])
