"""On MySQL: copies of a migrated database, resets of them, and DDL within a test."""

from __future__ import annotations

import pytest

from .conftest import MakeRepository, Repository, Result

MYSQL = {"database": "mysql", "starter": False, "cache": "none", "broker": "none"}

MIGRATE = '''

STATEMENTS = [
    "ALTER DATABASE COLLATE utf8mb4_0900_as_cs",
    """CREATE TABLE country (
        id int AUTO_INCREMENT PRIMARY KEY,
        name varchar(50) UNIQUE,
        shouted varchar(50) AS (upper(name)) STORED,
        whispered varchar(50) AS (lower(name)) VIRTUAL,
        seen datetime(6) DEFAULT CURRENT_TIMESTAMP(6)
    )""",
    "INSERT INTO country (name) VALUES ('Chad'), ('Perú 100%')",
    "UPDATE country SET id = 0 WHERE name = 'Chad'",
    "CREATE TABLE author (id int PRIMARY KEY, best_book int)",
    """CREATE TABLE book (
        id int PRIMARY KEY,
        author int,
        CONSTRAINT book_author FOREIGN KEY (author) REFERENCES author (id)
    )""",
    "ALTER TABLE author ADD FOREIGN KEY (best_book) REFERENCES book (id)",
    """CREATE TABLE event (day date, what varchar(50)) PARTITION BY RANGE (year(day)) (
        PARTITION early VALUES LESS THAN (2026), PARTITION late VALUES LESS THAN (2030)
    )""",
    "INSERT INTO event VALUES ('2026-11-21', 'seeded')",
    "CREATE TABLE `Odd; ``name` (`of a column` int PRIMARY KEY)",
    "INSERT INTO `Odd; ``name` VALUES (7)",
    "CREATE TABLE `ODD; ``NAME` (id int PRIMARY KEY)",
    # Each of these is used by the next, whose name comes before it.
    "CREATE FUNCTION z_twice (n int) RETURNS int DETERMINISTIC RETURN 2 * n",
    "CREATE VIEW y_country AS SELECT id, name FROM country WHERE name NOT LIKE 'X%'",
    "CREATE VIEW x_country AS SELECT name, z_twice(id) AS doubled FROM y_country",
    "CREATE TABLE log (what varchar(50))",
    """CREATE TRIGGER note AFTER INSERT ON country
        FOR EACH ROW INSERT INTO log VALUES (concat('new: ', NEW.name))""",
    "CREATE TABLE ledger (id int PRIMARY KEY)",
    "CREATE TRIGGER z_first BEFORE DELETE ON ledger FOR EACH ROW SET @seen = true",
    """CREATE TRIGGER a_second BEFORE DELETE ON ledger FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a ledger is never changed'""",
    "CREATE PROCEDURE forget() DELETE FROM event WHERE what LIKE 'seed%'",
    "CREATE EVENT clean ON SCHEDULE EVERY 1 DAY DO DELETE FROM log",
]


def migrate(database: Endpoint) -> None:
    from .support.mysql import connect, query

    with connect(database) as connection:
        for statement in STATEMENTS:
            query(connection, statement)
'''

COPY = '''
import re
from dataclasses import replace

from .support.mysql import _KINDS, _content, _definition, connect, query


# Told of a column or not, though it is that of its table.
COLLATION = re.compile(" (CHARACTER SET utf8mb4 )?COLLATE utf8mb4_0900_as_cs")


def everything(endpoint):
    """All that the server says about a database, and the rows of its tables."""
    with connect(endpoint) as connection:
        content = _content(connection)
        assert all(content[kind] for kind in _KINDS)
        made = {
            (kind, name): [COLLATION.sub("", part) for part in definition]
            for kind in content
            for name in sorted(content[kind])
            if (definition := _definition(connection, kind, name))
        }
        rows = {
            name: query(connection, f"SELECT * FROM `{name.replace('`', '``')}`")
            for name in content["TABLE"] + content["VIEW"]
        }
        triggers = """SELECT trigger_name FROM information_schema.triggers
            WHERE trigger_schema = DATABASE()
            ORDER BY event_object_table, action_order"""
        database = query(connection, "SHOW CREATE DATABASE " + endpoint.database)[0][1]
        name_less = database.replace(endpoint.database, "")
        return made, rows, query(connection, triggers), name_less


def test_a_copy_is_the_same(database, process):
    template = replace(database, database=f"{process.run}_template")
    expected = everything(template)
    assert everything(database) == expected
    assert expected[1]["x_country"] == [("Chad", 0), ("Perú 100%", 4)]
    assert expected[1]["log"] == []
'''

RESET = """
import pytest
from sqlalchemy import text

from .support.mysql import connect, query

pytestmark = [pytest.mark.anyio, pytest.mark.commits]

CHANGES = [
    "DELETE FROM country WHERE name = 'Chad'",
    "UPDATE country SET name = 'changed' WHERE id = 2",
    "INSERT INTO country (name) VALUES ('Fiji')",
    "INSERT INTO author VALUES (1, NULL)",
    "INSERT INTO book VALUES (1, 1)",
    "UPDATE author SET best_book = 1",
    "INSERT INTO event VALUES ('2025-01-02', 'of a test')",
    "INSERT INTO `Odd; ``name` VALUES (1)",
    "INSERT INTO `ODD; ``NAME` VALUES (7)",
    "INSERT INTO ledger VALUES (1)",
]
EXPECTED = {
    "SELECT id, name, shouted, whispered FROM country ORDER BY id": [
        (0, "Chad", "CHAD", "chad"), (2, "Perú 100%", "PERÚ 100%", "perú 100%"),
    ],
    "SELECT count(*) FROM author": [(0,)],
    "SELECT count(*) FROM book": [(0,)],
    "SELECT what FROM event": [("seeded",)],
    "SELECT * FROM `Odd; ``name`": [(7,)],
    "SELECT count(*) FROM `ODD; ``NAME`": [(0,)],
    "SELECT count(*) FROM ledger": [(0,)],
    "SELECT count(*) FROM log": [(0,)],
}


@pytest.fixture(scope="module", autouse=True)
def temporary_table_of_another_connection(database):
    with connect(database) as connection:
        query(connection, "CREATE TEMPORARY TABLE scratch AS SELECT 1 AS n")
        yield
        assert query(connection, "SELECT n FROM scratch") == [(1,)]


@pytest.mark.parametrize("visit", range(4))
async def test_everything_is_as_the_migrations_left_it(db_session, visit):
    for statement, rows in EXPECTED.items():
        assert (await db_session.execute(text(statement))).all() == rows
    for change in CHANGES:
        await db_session.execute(text(change))
    await db_session.commit()


async def test_foreign_keys_and_triggers_are_in_force_again(db_session):
    await db_session.execute(text("INSERT INTO ledger VALUES (1)"))
    with pytest.raises(Exception, match="a ledger is never changed"):
        await db_session.execute(text("DELETE FROM ledger"))
    await db_session.rollback()
    with pytest.raises(Exception, match="book_author"):
        await db_session.execute(text("INSERT INTO book VALUES (1, 7)"))
"""

DDL = """
import pytest
from sqlalchemy import text

pytestmark = pytest.mark.anyio


async def change(session):
    await session.execute(text("INSERT INTO author VALUES (1, NULL)"))
    await session.execute(text("ALTER TABLE event COMMENT 'changed'"))
    await session.execute(text("INSERT INTO author VALUES (2, NULL)"))


async def test_ddl(db_session):
    await change(db_session)


async def test_nothing_was_left(db_session):
    assert (await db_session.execute(text("SELECT * FROM author"))).all() == []


async def test_ddl_and_commit(db_session):
    await change(db_session)
    await db_session.commit()


test_nothing_was_left_either = test_nothing_was_left


async def test_ddl_on_two_sessions(session_factory):
    async with session_factory() as first, session_factory() as second:
        await first.execute(text("INSERT INTO author VALUES (3, NULL)"))
        await change(second)


@pytest.mark.commits
async def test_ddl_in_a_test_that_commits(db_session):
    await change(db_session)
    await db_session.commit()


async def test_a_connection_that_was_lost(db_session, engine):
    await db_session.execute(text("INSERT INTO author VALUES (1, NULL)"))
    own = await db_session.scalar(text("SELECT connection_id()"))
    async with engine.connect() as other:
        await other.execute(text(f"KILL {own}"))


test_nothing_was_left_at_last = test_nothing_was_left
"""

DDL_OF_DJANGO = """
from contextlib import suppress

import pytest
from django.db import Error, connection, connections, transaction
from django.test import TestCase


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def change():
    execute("INSERT INTO author VALUES (1, NULL)")
    execute("ALTER TABLE event COMMENT 'changed'")
    execute("INSERT INTO author VALUES (2, NULL)")


def test_ddl(db):
    change()


def test_nothing_was_left(db):
    assert execute("SELECT * FROM author") == ()


def test_ddl_in_a_transaction(db):
    with suppress(Error), transaction.atomic():
        change()


@pytest.mark.django_db
def test_ddl_where_a_mark_asks_for_the_database():
    change()


class TestOfDjango(TestCase):
    def test_ddl(self):
        change()

    def test_nothing_was_left(self):
        assert execute("SELECT * FROM author") == ()


@pytest.mark.commits
def test_ddl_in_a_test_that_commits(db):
    change()


@pytest.mark.django_db(transaction=True)
def test_ddl_in_a_test_that_commits_in_the_words_of_pytest_django():
    change()


def test_an_error_that_undoes_the_transaction(db):
    with suppress(Error), transaction.atomic(savepoint=False):
        execute("INSERT INTO author VALUES (1, NULL)")
        execute("SELECT nothing")


def test_a_connection_that_was_lost(db):
    execute("INSERT INTO author VALUES (1, NULL)")
    [(own,)] = execute("SELECT connection_id()")
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute(f"KILL {own}")
    other.close()


def test_a_connection_that_was_closed(db):
    execute("INSERT INTO author VALUES (1, NULL)")
    connection.close()


test_nothing_was_left_at_last = test_nothing_was_left
"""


def with_tables(repository: Repository) -> Repository:
    """Have its migrations make objects of every kind."""
    with (repository.path / "tests/integration/wiring.py").open("a") as wiring:
        wiring.write(MIGRATE)
    return repository


@pytest.fixture
def repository(make_repository: MakeRepository) -> Repository:
    return with_tables(make_repository(**MYSQL))


def test_a_server_of_somebody_else_is_used_or_refused_in_one_sentence(
    repository: Repository,
) -> None:
    # Other tests start what has the name that the file gives it, at the same time.
    project = ("-p", "somebody-else")
    repository.compose(*project, "up", "--detach", "--wait")
    address = repository.compose(*project, "port", "mysql", "3306").strip()
    port = address.rpartition(":")[2]
    make = "CREATE USER {0} IDENTIFIED BY 'test'; GRANT ALL ON {1} TO {0};".format
    users = make("few", "test.*") + make("enough", r"`test\_%`.*") + make("no", "sys.*")
    users += "GRANT ALL ON test.* TO enough;"
    repository.execute("mysql", "mysql", "-h127.0.0.1", "-uroot", "-ptest", "-e", users)

    def run(**login: str) -> Result:
        variables = {f"TEST_MYSQL_{name}": value for name, value in login.items()}
        variables |= {"TEST_MYSQL_HOST": "127.0.0.1", "TEST_MYSQL_PORT": port}
        return repository.pytest("tests/integration/test_isolation.py", **variables)

    assert run(USER="enough").code == 0
    assert not any(repository.leftovers().values())
    for login, cause in [
        ({"PASSWORD": "wrong"}, "refuses the login: Access denied for user 'root'@"),
        ({"DATABASE": "test_x"}, "refuses the login: Unknown database 'test_x'"),
        ({"USER": "no"}, "refuses the login: Access denied for user 'no'@"),
        ({"USER": "few"}, r"GRANT ALL ON `test\_%`.* TO `few` lets it."),
    ]:
        result = run(**login)
        assert result.counts == {"error": 1}, result.output
        assert cause in result.output
        assert "Traceback" not in result.output
    repository.compose(*project, "down", "--volumes")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_objects_of_every_kind_are_copied(repository: Repository, workers: str) -> None:
    result = repository.pytest(repository.add_test("copy", COPY), "-n", workers)
    assert result.code == 0, result.output
    assert result.counts == {"passed": 1}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_tables_of_every_kind_are_put_back(
    repository: Repository, workers: str
) -> None:
    result = repository.pytest(repository.add_test("reset", RESET), "-n", workers)
    assert result.code == 0, result.output
    assert result.counts == {"passed": 5}


def test_ddl_is_found_and_named_where_it_was(repository: Repository) -> None:
    result = repository.pytest(repository.add_test("ddl", DDL), "-rA", COLUMNS="200")
    report = result.output.partition(" short test summary info ")
    cause = "CREATE TABLE, TRUNCATE and other DDL commits it"
    assert report[0].count(cause) == 3, result.output
    for test in ("test_ddl", "test_ddl_and_commit", "test_ddl_on_two_sessions"):
        assert f"::{test} - Failed: The transaction of this test is gone" in report[2]
    for test in ("left", "left_either", "left_at_last"):
        assert f"::test_nothing_was_{test}\n" in report[2], result.output
    assert result.counts["passed"] == 6, result.output


def test_ddl_is_found_and_named_where_it_was_in_django(
    make_repository: MakeRepository,
) -> None:
    repository = with_tables(make_repository(**MYSQL, framework="django"))
    result = repository.pytest(
        repository.add_test("ddl", DDL_OF_DJANGO), "-rA", COLUMNS="200"
    )
    _, _, summary = result.output.partition(" short test summary info ")
    for test in (
        "test_ddl",
        "test_ddl_in_a_transaction",
        "test_ddl_where_a_mark_asks_for_the_database",
        "TestOfDjango::test_ddl",
    ):
        assert f"::{test} - Failed: The transaction of this test is gone" in summary
    assert result.counts == {"passed": 12, "errors": 4}, result.output
