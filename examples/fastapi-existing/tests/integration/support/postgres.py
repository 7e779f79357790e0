"""PostgreSQL: a migrated database for every test process.

Managed by Testbed: updates change this file.

The first process of a run migrates an empty database; it becomes a template, and every
process gets a copy of it, which takes far less time than migrating again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from .. import wiring
from .endpoints import Endpoint
from .guard import NotForTests
from .lifecycle import LoginRefused, Services
from .options import has_real_commits
from .processes import CHECKOUT, KEPT_TEMPLATE, Process, is_abandoned
from .template_database import template_name

# One round trip empties every table and puts back what the migrations wrote. It costs a
# query per table and no disk, where TRUNCATE would make new files for each.
RESET = "SELECT testbed.reset()"

# Remembers the rows that the migrations wrote, and defines testbed.reset(). In a schema
# of its own, where comparisons of models with tables do not look.
_PREPARE_RESET = """
CREATE SCHEMA testbed;

CREATE VIEW testbed.tables AS
SELECT
    format('%I.%I', namespace.nspname, class.relname) AS name,
    format('testbed.%I', 'rows_' || class.oid) AS copy,
    string_agg(quote_ident(attname), ', ') AS columns
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_attribute ON attrelid = class.oid
WHERE class.relkind = 'r' AND class.relpersistence <> 't'
AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
AND namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'testbed')
GROUP BY namespace.nspname, class.relname, class.oid;

DO $$
DECLARE
    tab record;
    has_rows boolean;
BEGIN
    FOR tab IN SELECT * FROM testbed.tables LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', tab.name) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('CREATE TABLE %s AS SELECT %s FROM %s',
                           tab.copy, tab.columns, tab.name);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION testbed.reset() RETURNS void LANGUAGE plpgsql
-- Foreign keys and triggers do not look at these changes, so their order is free.
SET session_replication_role = replica AS $$
DECLARE
    tab record;
BEGIN
    FOR tab IN SELECT * FROM testbed.tables LOOP
        EXECUTE format('DELETE FROM %s', tab.name);
        IF to_regclass(tab.copy) IS NOT NULL THEN
            EXECUTE format(
                'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s',
                tab.name, tab.columns, tab.columns, tab.copy);
        END IF;
    END LOOP;
END $$;
"""

# The sessions that have a transaction, and whether they have been at it for a while.
_LIST_SESSIONS = """
SELECT
    format(
        'session %s: %s for %s s%s%s, %s',
        pid,
        state,
        round(extract(epoch FROM clock_timestamp() - state_change), 1),
        CASE wait_event_type WHEN 'Lock' THEN ', waits for a lock' END,
        ' of session ' || nullif(array_to_string(pg_blocking_pids(pid), ', '), ''),
        CASE state WHEN 'active' THEN 'at: ' ELSE 'after: ' END
            || left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), 300)
    ),
    clock_timestamp() - state_change > interval '1 s'
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_type = 'client backend' AND xact_start IS NOT NULL
ORDER BY xact_start
"""


def connect(endpoint: Endpoint) -> psycopg.Connection:
    """Connect in autocommit mode, as CREATE DATABASE needs it."""
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.database,
        connect_timeout=5,
        autocommit=True,
    )


def probe(endpoint: Endpoint) -> str:
    """Log in and ask; raises LoginRefused, or psycopg.Error when either fails."""
    if "PGHOSTADDR" in os.environ:
        raise NotForTests(
            "PGHOSTADDR is set, and would lead all connections elsewhere: unset it."
        )
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    try:
        with connect(endpoint) as connection:
            is_superuser = connection.execute(query).fetchone()
            version = connection.info.parameter_status("server_version") or ""
    except psycopg.OperationalError as error:
        # A server that asks for the password is up: its "no" is final.
        if error.pgconn and error.pgconn.used_password:
            raise LoginRefused(endpoint, error) from None
        raise
    if is_superuser != (True,):
        raise NotForTests(
            f'TEST_POSTGRES_USER "{endpoint.user}" is no superuser: the tests make'
            " databases, and empty tables without regard to foreign keys."
        )
    return version


def activity(endpoint: Endpoint) -> str:
    """The open transactions, if there is more to them than one that a test is in."""
    with connect(endpoint) as connection:
        sessions = connection.execute(_LIST_SESSIONS).fetchall()
    if len(sessions) == 1 and not sessions[0][-1]:
        return ""
    return "\n".join(line for line, _ in sessions)


def create(server: Endpoint, database: str) -> None:
    """Make an empty database."""
    with connect(server) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(database)))


@pytest.fixture(scope="session")
def postgres(services: Services) -> Endpoint:
    """The PostgreSQL server, and the database from which others are made."""
    return services.require("postgres", probe, activity)


@pytest.fixture(scope="session")
def database(postgres: Endpoint, process: Process) -> Iterator[Endpoint]:
    """A migrated database for this process alone, which ends with it."""
    template = template_name(process, postgres)
    with connect(postgres) as server, _one_at_a_time(server):
        for name in filter(is_abandoned, _names(server, "test_")):
            _drop(server, name)
        _make_copy(server, postgres, template, process.name)
    yield replace(postgres, database=process.name)
    with connect(postgres) as server, _one_at_a_time(server):
        _drop(server, process.name)
        if _names(server, process.run) == {template}:
            _drop(server, template)  # a process that is late makes it again


@pytest.fixture
def fresh_database(
    request: pytest.FixtureRequest,
    postgres: Endpoint,
    process: Process,
    database: Endpoint,
) -> Iterator[Endpoint]:
    """The migrated database of this test alone, if it is marked `fresh_database`."""
    if not request.node.get_closest_marker("fresh_database"):
        pytest.fail("mark the test `fresh_database`, too", pytrace=False)
    template = template_name(process, postgres)
    fresh = replace(postgres, database=f"{database.database}_fresh")
    with connect(postgres) as server, _one_at_a_time(server):
        _make_copy(server, postgres, template, fresh.database)
    yield fresh
    with connect(postgres) as server:
        _drop(server, fresh.database)


@pytest.fixture(scope="session")
def resetter(database: Endpoint) -> Iterator[psycopg.Connection]:
    """A connection that is kept for resets: to open one takes longer than they."""
    with connect(database) as connection:
        yield connection


@pytest.fixture(autouse=True)
def reset_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put all tables back after a test marked `commits`, as migrations left them."""
    if "database" not in request.fixturenames or not has_real_commits(request.node):
        yield
        return
    resetter: psycopg.Connection = request.getfixturevalue("resetter")
    yield
    resetter.execute(RESET)


def reset(database: Endpoint) -> None:
    """Put all tables back at once, whatever was done to them."""
    with connect(database) as connection:
        connection.execute(RESET)


@contextmanager
def _one_at_a_time(server: psycopg.Connection) -> Iterator[None]:
    """Hold a lock that the checkout's processes share; it ends with the connection."""
    server.execute("SET lock_timeout = '5min'")
    server.execute("SELECT pg_advisory_lock(hashtext(%s))", [CHECKOUT])
    yield
    server.execute("SELECT pg_advisory_unlock(hashtext(%s))", [CHECKOUT])


def _make_copy(
    server: psycopg.Connection, postgres: Endpoint, template: str, name: str
) -> None:
    """Copy the template; where there is none, it is made first."""
    if template not in _names(server, "test_"):
        for outdated in _names(server, KEPT_TEMPLATE):
            _drop(server, outdated)
        _make_template(server, postgres, template)
    _copy_template(server, template, name)


def _make_template(
    server: psycopg.Connection, postgres: Endpoint, template: str
) -> None:
    # Under another name until it is complete: a half-migrated one is never copied.
    unfinished = replace(postgres, database=f"{template}_unfinished")
    name = Identifier(unfinished.database)
    _drop(server, unfinished.database)  # of a process whose migration failed
    server.execute(SQL("CREATE DATABASE {}").format(name))
    wiring.migrate(unfinished)
    with connect(unfinished) as connection:
        connection.execute(_PREPARE_RESET)
    # A copy waits for the last connection to its template; migrations may leave one.
    server.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        [unfinished.database],
    )
    rename = SQL("ALTER DATABASE {} RENAME TO {}")
    server.execute(rename.format(name, Identifier(template)))


def _copy_template(server: psycopg.Connection, template: str, name: str) -> None:
    database = Identifier(name)
    server.execute(
        SQL("CREATE DATABASE {} TEMPLATE {}").format(database, Identifier(template))
    )
    # What waits for a forgotten lock shall fail, not hang. In milliseconds.
    for setting, limit in (("lock_timeout", 10_000), ("statement_timeout", 60_000)):
        server.execute(
            SQL("ALTER DATABASE {} SET {} = {}").format(
                database, Identifier(setting), Literal(limit)
            )
        )


def _names(server: psycopg.Connection, prefix: str) -> set[str]:
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
    return {name for (name,) in server.execute(query, [prefix])}


def _drop(server: psycopg.Connection, name: str) -> None:
    # FORCE, as a connection that a test forgot would otherwise keep it.
    drop = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    server.execute(drop.format(Identifier(name)))
