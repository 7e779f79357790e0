"""Records the SQL that SQLAlchemy runs, of every engine and in every thread.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from .statements import begin, committed_elsewhere

# In the `info` of a connection: what it runs, one at a time, and what it has written.
_RUNS, _WROTE = "testbed_runs", "testbed_wrote"


def _begin(
    connection: Connection, _cursor: Any, sql: str, values: Any, *_: Any
) -> None:
    statement = connection.info[_RUNS] = begin(sql, values)
    if statement.writes:
        connection.info.setdefault(_WROTE, []).append(statement)


def _end(connection: Connection, *_: Any) -> None:
    connection.info.pop(_RUNS).end()


def _fail(context: ExceptionContext) -> None:
    # Without a statement, it was a commit or the like that failed.
    if (connection := context.connection) and not connection.invalidated:
        if statement := connection.info.pop(_RUNS, None):
            statement.end(context.original_exception)


def _commit(connection: Connection) -> None:
    # What tests begin for a whole test is never committed, only savepoints are.
    committed_elsewhere.extend(connection.info.pop(_WROTE, ()))


def _roll_back(connection: Connection) -> None:
    if not connection.invalidated:  # or else it has no `info`, and has lost its work
        connection.info.pop(_WROTE, None)


_LISTENERS: dict[str, Callable[..., None]] = {
    "before_cursor_execute": _begin,
    "after_cursor_execute": _end,
    "handle_error": _fail,
    "commit": _commit,
    "rollback": _roll_back,
}


def pytest_configure() -> None:
    """Listen to all engines, whoever makes them."""
    for name, listener in _LISTENERS.items():
        event.listen(Engine, name, listener)


def pytest_unconfigure() -> None:
    """Listen no longer."""
    for name, listener in _LISTENERS.items():
        event.remove(Engine, name, listener)
