"""MySQL: a migrated database for every test process.

Managed by Testbed: updates change this file.

The first process of a run migrates an empty database; it becomes a template, and every
process makes a copy of it, which takes less time than migrating again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

import pymysql
import pytest
from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.cursors import Cursor

from .. import wiring
from .endpoints import Endpoint
from .guard import NotForTests
from .lifecycle import LoginRefused, Services
from .options import has_real_commits
from .processes import CHECKOUT, KEPT_TEMPLATE, Process, is_abandoned
from .template_database import template_name

# One round trip empties every table and puts back what the migrations wrote. It costs a
# statement per table and no disk, where TRUNCATE would make new files for each.
RESET = "CALL testbed_reset()"

# What a database may hold, in an order in which it can be made.
_KINDS = ("TABLE", "FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "EVENT")
_LIST_CONTENT = """
SELECT 'TABLE', table_name, 0 FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
UNION ALL
SELECT routine_type, routine_name, 0 FROM information_schema.routines
WHERE routine_schema = DATABASE()
UNION ALL
SELECT 'VIEW', table_name, 0 FROM information_schema.views
WHERE table_schema = DATABASE()
UNION ALL
SELECT 'TRIGGER', trigger_name, action_order FROM information_schema.triggers
WHERE trigger_schema = DATABASE()
UNION ALL
SELECT 'EVENT', event_name, 0 FROM information_schema.events
WHERE event_schema = DATABASE()
ORDER BY 3
"""
_LIST_USED_VIEWS = """
SELECT view_name, used.table_name
FROM information_schema.view_table_usage AS used
JOIN information_schema.views USING (table_schema, table_name)
WHERE view_schema = DATABASE() AND table_schema = DATABASE()
"""

# The template has this procedure, with the statements that copy its rows, and so has
# each of its copies. Comparisons of models with tables do not look at procedures.
_DEFINE_RESET = """
CREATE PROCEDURE testbed_reset()
BEGIN
    DECLARE tab varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    DECLARE has_triggers, finished bool DEFAULT false;
    DECLARE checks bool DEFAULT @@foreign_key_checks;
    DECLARE tabs CURSOR FOR
        SELECT table_name, EXISTS (
            SELECT * FROM information_schema.triggers
            WHERE event_object_schema = table_schema
            AND event_object_table = table_name
        )
        FROM information_schema.tables
        WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
        -- First, as their triggers may write to others.
        ORDER BY 2 DESC;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET finished = true;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        SET foreign_key_checks = checks;
        RESIGNAL;
    END;
    -- So the order of tables that refer to each other is free.
    SET foreign_key_checks = false;
    OPEN tabs;
    each_table: LOOP
        FETCH tabs INTO tab, has_triggers;
        IF finished THEN LEAVE each_table; END IF;
        -- A trigger may forbid DELETE; TRUNCATE does not ask it.
        SET @testbed = CONCAT(
            IF(has_triggers, 'TRUNCATE ', 'DELETE FROM '),
            '`', REPLACE(tab, '`', '``'), '`'
        );
        PREPARE testbed FROM @testbed;
        EXECUTE testbed;
        DEALLOCATE PREPARE testbed;
        {restore}
    END LOOP;
    SET foreign_key_checks = checks;
END
"""

# The sessions that have a transaction or wait, and whether they do so for a while.
_LIST_SESSIONS = """
SELECT
    CONCAT(
        'session ', thread.processlist_id, ': ',
        IF(thread.processlist_command = 'Sleep', 'idle in transaction', 'active'),
        ' for ', thread.processlist_time, ' s',
        IFNULL(CONCAT(', waits for a lock of session ', waits.blockers), ''),
        IF(thread.processlist_command = 'Sleep', ', after: ', ', at: '),
        LEFT(REGEXP_REPLACE(IFNULL(statement.sql_text, ''), '[[:space:]]+', ' '), 300)
    ),
    thread.processlist_time > 1
FROM performance_schema.threads AS thread
LEFT JOIN information_schema.innodb_trx AS trx
    ON trx.trx_mysql_thread_id = thread.processlist_id
LEFT JOIN performance_schema.events_statements_current AS statement
    ON statement.thread_id = thread.thread_id AND statement.nesting_event_level = 0
LEFT JOIN (
    SELECT waiting_pid, GROUP_CONCAT(DISTINCT blocking_pid) AS blockers
    FROM (
        SELECT waiting_pid, blocking_pid FROM sys.innodb_lock_waits
        UNION ALL
        SELECT waiting_pid, blocking_pid FROM sys.schema_table_lock_waits
    ) AS every_wait
    WHERE waiting_pid <> blocking_pid
    GROUP BY waiting_pid
) AS waits ON waits.waiting_pid = thread.processlist_id
WHERE thread.processlist_db = DATABASE()
AND thread.processlist_id <> CONNECTION_ID()
AND (trx.trx_id IS NOT NULL OR thread.processlist_state LIKE 'Waiting for%')
ORDER BY trx.trx_started
"""


def connect(endpoint: Endpoint) -> Connection[Cursor]:
    """Connect in autocommit mode: every statement is a transaction."""
    return pymysql.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        database=endpoint.database,
        connect_timeout=5,
        autocommit=True,
    )


def query(
    connection: Connection[Cursor],
    statement: str,
    values: Sequence[object] | None = None,
) -> list[tuple[Any, ...]]:
    """Run a statement, and give the rows that it returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def probe(endpoint: Endpoint) -> str:
    """Log in and make a database; raises LoginRefused, or pymysql.Error on failure."""
    refused = (ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, ER.BAD_DB_ERROR)
    try:
        server = connect(endpoint)
    except pymysql.OperationalError as error:
        # A server that looks at the login is up: its "no" is final.
        if error.args[0] in refused:
            raise LoginRefused(endpoint, error.args[1]) from None
        raise
    with server:
        name = f"test_{CHECKOUT}_probe"
        try:
            query(server, f"CREATE DATABASE IF NOT EXISTS {name}")
            query(server, f"DROP DATABASE IF EXISTS {name}")
        except pymysql.OperationalError:
            raise NotForTests(
                f'TEST_MYSQL_USER "{endpoint.user}" may not make databases for tests:'
                rf" GRANT ALL ON `test\_%`.* TO `{endpoint.user}` lets it."
            ) from None
        ((version,),) = query(server, "SELECT version()")
    return str(version)


def activity(endpoint: Endpoint) -> str:
    """The open transactions, if there is more to them than one that a test is in."""
    with connect(endpoint) as connection:
        sessions = query(connection, _LIST_SESSIONS)
    if len(sessions) == 1 and not sessions[0][-1]:
        return ""
    return "\n".join(line for line, _ in sessions)


def create(server: Endpoint, database: str) -> None:
    """Make an empty database."""
    with connect(server) as connection:
        query(connection, f"CREATE DATABASE {database}")


@pytest.fixture(scope="session")
def mysql(services: Services) -> Endpoint:
    """The MySQL server, and a database on it that holds nothing."""
    return services.require("mysql", probe, activity)


@pytest.fixture(scope="session")
def database(mysql: Endpoint, process: Process) -> Iterator[Endpoint]:
    """A migrated database for this process alone, which ends with it."""
    template = template_name(process, mysql)
    with connect(mysql) as server:
        with _one_at_a_time(server):
            for name in filter(is_abandoned, _names(server, "test_")):
                _drop(server, name)
        _make_copy(server, mysql, template, process.name)
    yield replace(mysql, database=process.name)
    with connect(mysql) as server, _one_at_a_time(server):
        _drop(server, process.name)
        if _names(server, process.run) == {template}:
            _drop(server, template)  # a process that is late makes it again


@pytest.fixture
def fresh_database(
    request: pytest.FixtureRequest,
    mysql: Endpoint,
    process: Process,
    database: Endpoint,
) -> Iterator[Endpoint]:
    """The migrated database of this test alone, if it is marked `fresh_database`."""
    if not request.node.get_closest_marker("fresh_database"):
        pytest.fail("mark the test `fresh_database`, too", pytrace=False)
    template = template_name(process, mysql)
    fresh = replace(mysql, database=f"{database.database}_fresh")
    with connect(mysql) as server:
        _make_copy(server, mysql, template, fresh.database)
    yield fresh
    with connect(mysql) as server:
        _drop(server, fresh.database)


@pytest.fixture(scope="session")
def resetter(database: Endpoint) -> Iterator[Connection[Cursor]]:
    """A connection that is kept for resets: to open one takes longer than they."""
    with connect(database) as connection:
        yield connection


@pytest.fixture(autouse=True)
def reset_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put all tables back after a test marked `commits`, as migrations left them."""
    if "database" not in request.fixturenames or not has_real_commits(request.node):
        yield
        return
    resetter: Connection[Cursor] = request.getfixturevalue("resetter")
    yield
    query(resetter, RESET)


def reset(database: Endpoint) -> None:
    """Put all tables back at once, whatever was done to them."""
    with connect(database) as connection:
        query(connection, RESET)


@contextmanager
def _one_at_a_time(server: Connection[Cursor]) -> Iterator[None]:
    """Hold a lock that the checkout's processes share; it ends with the connection."""
    query(server, "SET max_execution_time = 0")
    if query(server, "SELECT GET_LOCK(%s, 300)", [CHECKOUT]) != [(1,)]:
        raise TimeoutError("another process has been making databases for 5 minutes")
    yield
    query(server, "SELECT RELEASE_LOCK(%s)", [CHECKOUT])


def _make_copy(
    server: Connection[Cursor], mysql: Endpoint, template: str, name: str
) -> None:
    """Copy the template; where there is none, it is made first."""
    with _one_at_a_time(server):
        if not _is_complete(server, template):
            for outdated in _names(server, KEPT_TEMPLATE):
                _drop(server, outdated)
            _make_template(server, replace(mysql, database=template))
        _copy_empty(server, template, name)
    # A copy takes a statement per table; other processes can do theirs beside.
    _copy_content(server, template, name)


def _is_complete(server: Connection[Cursor], template: str) -> bool:
    # The procedure is made last: a half-migrated template does not have it.
    find = (
        "SELECT 1 FROM information_schema.routines"
        " WHERE routine_schema = %s AND routine_name = 'testbed_reset'"
    )
    return bool(query(server, find, [template]))


def _make_template(server: Connection[Cursor], template: Endpoint) -> None:
    _drop(server, template.database)  # of a process whose migration failed
    query(server, f"CREATE DATABASE {template.database}")
    wiring.migrate(template)
    server.select_db(template.database)
    restore = "".join(
        f"IF tab = {server.escape(table)} THEN {_restore(server, table)}; END IF;\n"
        for table in _content(server)["TABLE"]
        if query(server, f"SELECT 1 FROM {_quoted(table)} LIMIT 1")
    )
    # A procedure keeps its mode; in others, a row whose id is 0 would get a new one.
    query(server, "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
    query(server, _DEFINE_RESET.format(restore=restore))


def _restore(server: Connection[Cursor], table: str) -> str:
    """The statement that copies the rows of a table from the current database."""
    find = (
        "SELECT DATABASE(), column_name FROM information_schema.columns WHERE"
        " table_schema = DATABASE() AND table_name = %s AND generation_expression = ''"
    )
    found = query(server, find, [table])
    columns = ", ".join(_quoted(column) for _, column in found)
    source = f"{found[0][0]}.{_quoted(table)}"
    return f"INSERT INTO {_quoted(table)} ({columns}) SELECT {columns} FROM {source}"


def _copy_empty(server: Connection[Cursor], template: str, name: str) -> None:
    """Make a database with the character set and collation of the template."""
    ((_, statement),) = query(server, f"SHOW CREATE DATABASE {template}")
    query(server, statement.replace(template, name, 1))


def _copy_content(server: Connection[Cursor], template: str, name: str) -> None:
    server.select_db(template)
    query(server, "SET sql_mode = ''")  # in others, names may be quoted differently
    definitions = {
        kind: [_definition(server, kind, each) for each in names]
        for kind, names in _content(server).items()
    }
    server.select_db(name)
    query(server, "SET foreign_key_checks = false")
    for kind, made in definitions.items():
        if kind == "TRIGGER":
            query(server, RESET)  # brings the rows, before triggers look at them
        for mode, statement in made:
            query(server, "SET sql_mode = %s", [mode])
            query(server, statement)


def _content(server: Connection[Cursor]) -> dict[str, list[str]]:
    """The names of all that the current database holds, by kind."""
    content: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for kind, name, _ in query(server, _LIST_CONTENT):
        content[kind].append(name)
    # A view can only be made after those that it shows.
    views: dict[str, set[str]] = {name: set() for name in content["VIEW"]}
    for view, used in query(server, _LIST_USED_VIEWS):
        views[view].add(used)
    content["VIEW"] = list(TopologicalSorter(views).static_order())
    return content


def _definition(server: Connection[Cursor], kind: str, name: str) -> tuple[str, str]:
    """The mode in which something was made, and the statement that makes it again."""
    ((_, *columns),) = query(server, f"SHOW CREATE {kind} {_quoted(name)}")
    statement = next(column for column in columns if column.startswith("CREATE "))
    return "" if kind in {"TABLE", "VIEW"} else columns[0], statement


def _names(server: Connection[Cursor], prefix: str) -> set[str]:
    names = query(server, "SELECT schema_name FROM information_schema.schemata")
    return {name for (name,) in names if name.startswith(prefix)}


def _drop(server: Connection[Cursor], name: str) -> None:
    # A connection that a test forgot may hold locks, for which DROP would wait.
    for thread, _, _, database, *_ in query(server, "SHOW PROCESSLIST"):
        if database == name:
            with suppress(pymysql.OperationalError):  # it has just ended
                query(server, f"KILL {thread}")
    query(server, f"DROP DATABASE IF EXISTS {name}")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
