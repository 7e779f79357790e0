"""The tests that isolation.py measures in a repository that uses Django."""

from __future__ import annotations

import time

import pytest
from django.db import connection, models, transaction


def execute(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def select():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()


def test_nothing():
    """What pytest and the plugins take for any test."""


def test_round_trip(resetter, record_property):
    """The bare round trip, by the driver: no test can ask the server for less."""
    with resetter.cursor() as cursor:
        begin = time.perf_counter()
        cursor.execute("SELECT 1")
        cursor.fetchall()
        record_property("seconds", time.perf_counter() - begin)


@pytest.fixture
def same_statements(django_db_setup, django_db_blocker):
    """What Django's TestCase sends, without that class.

    On MySQL we ask besides whether the transaction is still there.
    """
    is_mysql = connection.vendor == "mysql"
    with django_db_blocker.unblock(), transaction.atomic():
        if is_mysql:
            execute("SAVEPOINT testbed")
        yield
        if is_mysql:
            execute("ROLLBACK TO SAVEPOINT testbed")
        if connection.features.can_defer_constraint_checks and connection.is_usable():
            connection.check_constraints()
        transaction.set_rollback(True)


def test_same_statements(same_statements):
    select()


@pytest.mark.usefixtures("_django_db_helper")
def test_recipe():
    """pytest-django's own fixture `db`, which has no more than this."""
    select()


def test_fixture(db):
    """Our fixture, which calls pytest-django's: the transaction is rolled back."""
    select()


@pytest.mark.commits
def test_commits(db):
    """Our fixture with real commits: all tables are put back by testbed's reset."""
    select()


@pytest.mark.slow
@pytest.mark.fresh_database
def test_fresh_database(db):
    """Our fixture with a database of the test's own, a copy of the migrated one."""
    select()


@pytest.fixture(scope="session")
def more_models(django_db_setup, django_db_blocker):
    """Models of the tables that the benchmark's migration has added."""
    attributes = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "shop"}),
    }
    with django_db_blocker.unblock():
        tables = connection.introspection.table_names()
    for table in tables:
        if table.startswith("shop_more"):
            type(table.removeprefix("shop_"), (models.Model,), {**attributes})


@pytest.fixture
def djangos_flush(monkeypatch, more_models, django_db_blocker):
    """Django's own methods, where support/database.py has put our reset."""
    for method in ("sql_flush", "execute_sql_flush"):
        monkeypatch.delattr(connection.ops, method)
    yield
    # It ends with the connection, for which the next test should not have to pay.
    with django_db_blocker.unblock():
        connection.ensure_connection()


@pytest.mark.slow
def test_flush(djangos_flush, transactional_db):
    """pytest-django's real commits, as they are without us."""
    select()
