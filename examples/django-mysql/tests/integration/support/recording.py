"""Records the SQL that Django runs, on every connection and in every thread.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from .statements import begin, committed_elsewhere


def _execute(
    execute: Callable[..., Any], sql: Any, values: Any, many: bool, context: Any
) -> Any:
    statement = begin(sql, values)
    if statement.writes and not _is_tests_own(context["connection"]):
        committed_elsewhere.append(statement)
    try:
        result = execute(sql, values, many, context)
    except Exception as error:
        statement.end(error)
        raise
    statement.end()
    return result


def _is_tests_own(connection: BaseDatabaseWrapper) -> bool:
    """Whether Django or pytest-django has begun a transaction for the whole test."""
    blocks = connection.atomic_blocks
    # An attribute that Django has for itself.
    return bool(blocks) and getattr(blocks[0], "_from_testcase", False)


def _record(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _execute not in connection.execute_wrappers:
        # First: whoever else has a wrapper takes away the last one.
        connection.execute_wrappers.insert(0, _execute)


def pytest_configure() -> None:
    """Record what is run on connections, whoever opens them."""
    connection_created.connect(_record)


def pytest_unconfigure() -> None:
    """Record no longer."""
    connection_created.disconnect(_record)
