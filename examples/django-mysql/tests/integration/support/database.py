"""Django's database in tests, which leave nothing behind in it.

Managed by Testbed: updates change this file.

By default a test runs inside a transaction that is rolled back. A test marked `commits`
gets real commits instead, which other connections see; after it all tables are as the
migrations left them. That is so after `django_db(transaction=True)`, too. A test marked
`fresh_database` commits to a database of its own, whose tables it may change.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.utils import ConnectionHandler, load_backend
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from .endpoints import Endpoint
from .mysql import RESET, reset
from .options import has_real_commits
from .statements import committed_elsewhere

ENGINE = "django.db.backends.mysql"

# As they are before --nomigrations of pytest-django hides them from the whole run.
_MIGRATIONS = settings.MIGRATION_MODULES

# Set by the fixture `database_blocker`.
_blocker: ContextVar[DjangoDbBlocker] = ContextVar("_blocker")


class Databases:
    """Django's connections to one database, to be put in the place of others'.

    Every alias leads there, so that none leads to a database that is not for tests.
    """

    def __init__(self, database: Endpoint) -> None:
        settings = {
            alias: _settings(connections.settings[alias], alias, database)
            for alias in connections
        }
        handler = ConnectionHandler(settings)
        self._aside = {alias: handler[alias] for alias in handler}
        self._in_place = False
        for connection in self._aside.values():
            _reset_instead_of_flush(connection)

    def put_in_place(self, in_place: bool) -> None:
        """Put these in place and the others aside, or the other way round."""
        if in_place == self._in_place:
            return
        self._in_place = in_place
        for alias, connection in self._aside.items():
            self._aside[alias] = connections[alias]
            # Where other threads look, which make connections of their own.
            connections.settings[alias] = connection.settings_dict
            connections[alias] = connection

    def close(self) -> None:
        """Close these connections, which nobody uses any more."""
        for connection in self._aside.values():
            connection.close()


def _settings(others: dict[str, Any], alias: str, database: Endpoint) -> dict[str, Any]:
    if _vendor(others["ENGINE"]) != _vendor(ENGINE):
        others = {**others, "ENGINE": ENGINE, "OPTIONS": {}}
    return {
        **others,
        "HOST": database.host,
        "PORT": database.port,
        "USER": database.user,
        "PASSWORD": database.password,
        "NAME": database.database,
        # Pools belong to an alias, whatever database it leads to.
        "OPTIONS": {k: v for k, v in others["OPTIONS"].items() if k != "pool"},
        "TEST": {"MIRROR": None if alias == DEFAULT_DB_ALIAS else DEFAULT_DB_ALIAS},
    }


def _vendor(engine: str) -> str:
    """What engines of the same database, such as one with maps, have in common."""
    vendor: str = load_backend(engine).DatabaseWrapper.vendor
    return vendor


def _reset_instead_of_flush(connection: BaseDatabaseWrapper) -> None:
    """Have Django reset tables after real commits.

    Its own flush is slow, and deletes the rows that migrations wrote.
    """

    def reset(sql_list: Iterable[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(RESET)

    # Django would follow any statement of its own with its signal `post_migrate`.
    connection.ops.sql_flush = lambda *_, **__: []  # type: ignore[method-assign]
    connection.ops.execute_sql_flush = reset  # type: ignore[method-assign]


@contextmanager
def connected_to(database: Endpoint) -> Iterator[None]:
    """Lead Django to a database, for what is done outside of tests."""
    databases = Databases(database)
    databases.put_in_place(True)
    try:
        with _blocker.get().unblock(), override_settings(MIGRATION_MODULES=_MIGRATIONS):
            yield
    finally:
        databases.put_in_place(False)
        databases.close()


def migrations_of_apps() -> Iterator[Path]:
    """The files of the migrations of all installed apps."""
    with override_settings(MIGRATION_MODULES=_MIGRATIONS):
        loader = MigrationLoader(None)
    for migration in loader.disk_migrations.values():
        yield Path(inspect.getfile(type(migration)))


@pytest.fixture(scope="session", autouse=True)
def database_blocker(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """No test reaches a database that it has not asked for."""
    _blocker.set(django_db_blocker)
    with django_db_blocker.block():
        yield


@pytest.fixture
def db(
    request: pytest.FixtureRequest,
    django_db_blocker: DjangoDbBlocker,
    django_db_setup: None,
) -> Iterator[None]:
    """pytest-django's: a transaction that is rolled back, or else real commits."""
    if not has_real_commits(request.node):
        request.getfixturevalue("db")  # the fixture that this one overrides
        yield
        return
    with django_db_blocker.unblock():
        if not request.node.get_closest_marker("fresh_database"):
            yield
            return
        databases = Databases(request.getfixturevalue("fresh_database"))
        databases.put_in_place(True)
        yield
        databases.put_in_place(False)
        databases.close()


@pytest.fixture(autouse=True)
def no_other_commits(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that is rolled back writes nothing on another connection.

    In a thread, say: what that wrote would be there for all later tests. A test that
    does so fails, and it is undone.
    """
    if "db" in request.fixturenames:
        request.getfixturevalue("db")
    # Of this test, or of its `TestCase`.
    open_connections = connections.all(initialized_only=True)
    if not any(connection.in_atomic_block for connection in open_connections):
        yield
        return
    database: Endpoint = request.getfixturevalue("database")
    committed_elsewhere.clear()  # by fixtures of the whole run
    yield
    if committed_elsewhere:
        reset(database)
        pytest.fail(
            "This test is rolled back in the end, but has written this on a connection"
            f" of another thread:\n{committed_elsewhere[0]}\nMark the test `commits`.",
            pytrace=False,
        )


@pytest.fixture(autouse=True)
def one_transaction(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test whose transaction does not last until its end fails."""
    if "db" in request.fixturenames:
        request.getfixturevalue("db")
    # Of this test, or of its `TestCase`; none where commits are real.
    begun = [
        connection
        for connection in connections.all(initialized_only=True)
        if connection.in_atomic_block
    ]
    for connection in begun:
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT testbed")
    yield
    gone = [connection for connection in begun if _is_gone(connection)]
    for connection in gone:
        with connection.cursor() as cursor:
            for statement in ("ROLLBACK", RESET, "COMMIT"):
                cursor.execute(statement)
    if gone:
        pytest.fail(
            "The transaction of this test is gone: CREATE TABLE, TRUNCATE and other"
            " DDL commits it, a deadlock undoes it. Mark the test `commits`.",
            pytrace=False,
        )


def _is_gone(connection: BaseDatabaseWrapper) -> bool:
    """Whether a statement has ended the transaction, without Django's knowledge."""
    # Django would refuse statements after an error.
    connection.needs_rollback = False
    try:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT testbed")
    except Error as error:
        # It knows no such savepoint; or the connection is lost, which commits nothing.
        return "testbed" in str(error)
    return False
