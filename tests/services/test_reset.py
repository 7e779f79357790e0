"""After a test that commits, every table is as the migrations left it."""

from __future__ import annotations

import pytest

from .conftest import MakeRepository, Repository

MIGRATE = '''

def migrate(database: Endpoint) -> None:
    import psycopg

    with psycopg.connect(database.url("postgresql")) as connection:
        connection.execute("""
            CREATE TABLE country (
                id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                name text UNIQUE,
                shouted text GENERATED ALWAYS AS (upper(name)) STORED
            );
            INSERT INTO country (name) VALUES ('Chad'), ('Peru');

            CREATE TABLE author (id int PRIMARY KEY, best_book int);
            CREATE TABLE book (id int PRIMARY KEY, author int REFERENCES author);
            ALTER TABLE author ADD FOREIGN KEY (best_book) REFERENCES book;

            CREATE TABLE event (day date, what text) PARTITION BY RANGE (day);
            CREATE TABLE event_2026 PARTITION OF event
                FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
            INSERT INTO event VALUES ('2026-11-21', 'seeded');

            CREATE SCHEMA "Other Schema";
            CREATE TABLE "Other Schema"."Odd; name" (id int PRIMARY KEY);

            CREATE TABLE ledger (id int PRIMARY KEY);
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN RAISE EXCEPTION ''a ledger is never changed''; END';
            CREATE TRIGGER no_delete BEFORE DELETE ON ledger
                FOR EACH ROW EXECUTE FUNCTION refuse();
        """)
'''

MODULE = '''
import pytest
from sqlalchemy import text

from .support.postgres import connect

pytestmark = [pytest.mark.anyio, pytest.mark.commits]

CHANGES = [
    "DELETE FROM country WHERE name = 'Chad'",
    "UPDATE country SET name = 'changed' WHERE name = 'Peru'",
    "INSERT INTO country (name) VALUES ('Fiji')",
    "INSERT INTO author (id) VALUES (1)",
    "INSERT INTO book VALUES (1, 1)",
    "UPDATE author SET best_book = 1",
    "INSERT INTO event VALUES ('2026-01-02', 'of a test')",
    """INSERT INTO "Other Schema"."Odd; name" VALUES (1)""",
    "INSERT INTO ledger VALUES (1)",
]
EXPECTED = {
    "SELECT id, name, shouted FROM country ORDER BY id": [
        (1, "Chad", "CHAD"), (2, "Peru", "PERU"),
    ],
    "SELECT count(*) FROM author": [(0,)],
    "SELECT count(*) FROM book": [(0,)],
    "SELECT what FROM event": [("seeded",)],
    """SELECT count(*) FROM "Other Schema"."Odd; name" """: [(0,)],
    "SELECT count(*) FROM ledger": [(0,)],
}


@pytest.fixture(scope="module", autouse=True)
def temporary_table_of_another_connection(database):
    with connect(database) as connection:
        connection.execute("CREATE TEMPORARY TABLE scratch AS SELECT 1 AS n")
        yield
        assert connection.execute("SELECT n FROM scratch").fetchall() == [(1,)]


@pytest.mark.parametrize("visit", range(4))
async def test_everything_is_as_the_migrations_left_it(db_session, visit):
    for query, rows in EXPECTED.items():
        assert (await db_session.execute(text(query))).all() == rows
    for change in CHANGES:
        await db_session.execute(text(change))
    await db_session.commit()


async def test_foreign_keys_and_triggers_are_in_force_again(db_session):
    await db_session.execute(text("INSERT INTO ledger VALUES (1)"))
    with pytest.raises(Exception, match="a ledger is never changed"):
        await db_session.execute(text("DELETE FROM ledger"))
    await db_session.rollback()
    with pytest.raises(Exception, match="violates foreign key"):
        await db_session.execute(text("INSERT INTO book VALUES (1, 7)"))
'''


@pytest.fixture
def repository(make_repository: MakeRepository) -> Repository:
    repository = make_repository(starter=False, cache="none", broker="none")
    tests = repository.path / "tests" / "integration"
    with (tests / "wiring.py").open("a") as wiring:
        wiring.write(MIGRATE)
    (tests / "test_reset.py").write_text(MODULE)
    return repository


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tables_of_every_kind_are_put_back(
    repository: Repository, workers: str
) -> None:
    module = "tests/integration/test_reset.py"
    result = repository.pytest(module, "-n", workers)
    assert result.code == 0, result.output
    assert result.counts == {"passed": 5}
