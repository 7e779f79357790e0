"""No test sees what another one did. Managed by Testbed: do not edit.

Every test here comes twice or more, and finds the world empty each time: whichever runs
first, alone, in parallel or in random order, the others would see what it left behind.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import (
    DEFAULT_DB_ALIAS,
    IntegrityError,
    connection,
    connections,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from .support.endpoints import Endpoint
from .support.processes import Process


@pytest.fixture(scope="module", autouse=True)
def isolation_probe(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """A table of our own, so that the proof needs none of the application's."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE isolation_probe (name varchar(20) UNIQUE)")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE isolation_probe")


@pytest.fixture
def other_connection(db: None) -> Iterator[BaseDatabaseWrapper]:
    """A second connection to the database, as another thread has it."""
    other = connections.create_connection(DEFAULT_DB_ALIAS)
    yield other
    other.close()


@pytest.fixture(params=["first", "second"])
def visit(request: pytest.FixtureRequest) -> str:
    """Makes a test come twice."""
    return str(request.param)


def insert(name: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO isolation_probe (name) VALUES (%s)", [name])


def rows(seen_by: BaseDatabaseWrapper | None = None) -> int:
    with (seen_by or connection).cursor() as cursor:
        cursor.execute("SELECT count(*) FROM isolation_probe")
        (count,) = cursor.fetchone()
    return int(count)


def test_a_commit_is_undone(db: None, visit: str) -> None:
    assert rows() == 0
    insert("committed")
    assert rows() == 1


def test_a_rollback_keeps_what_was_committed(db: None, visit: str) -> None:
    assert rows() == 0
    insert("committed")
    with transaction.atomic():
        insert("rolled back")
        transaction.set_rollback(True)
    assert rows() == 1
    insert("again")
    assert rows() == 2


def test_an_integrity_error_is_survived(db: None, visit: str) -> None:
    assert rows() == 0
    insert("unique")
    with pytest.raises(IntegrityError):
        insert("unique")
    assert rows() == 1


def test_another_connection_sees_nothing(
    other_connection: BaseDatabaseWrapper, visit: str
) -> None:
    insert("committed")
    assert rows(other_connection) == 0


@pytest.mark.commits
def test_a_real_commit_is_seen_by_others_and_removed(
    other_connection: BaseDatabaseWrapper, visit: str
) -> None:
    assert rows() == 0
    insert("committed")
    assert rows(other_connection) == 1


@pytest.mark.django_db(transaction=True)
def test_a_real_commit_in_the_words_of_pytest_django_is_removed(visit: str) -> None:
    assert rows() == 0
    insert("committed")


@pytest.mark.fresh_database
def test_the_tables_of_a_fresh_database_may_be_changed(db: None, visit: str) -> None:
    with connection.cursor() as cursor:
        # There is no such table yet: ours is in the database of the other tests.
        cursor.execute("CREATE TABLE isolation_probe (name varchar(20))")
    assert rows() == 0


def test_this_process_has_a_database_of_its_own(
    db: None, database: Endpoint, mysql: Endpoint, process: Process
) -> None:
    assert connection.settings_dict["NAME"] == database.database == process.name
    assert process.name != mysql.database
