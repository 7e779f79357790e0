"""The SQL that a test runs: shown when it fails, and counted where a test asks for it.

Managed by Testbed: updates change this file. recording.py tells it what is run, in
whichever thread; it knows nothing of what a driver runs by itself.
"""

from __future__ import annotations

import itertools
import re
import reprlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

LAST = 30  # statements, in the report of a failure
LONGEST = 600  # characters of each

_WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|REPLACE|MERGE|COPY|CREATE|ALTER|DROP|TRUNCATE)\b",
    re.IGNORECASE,
)
_SAVEPOINTS = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO ")

_values = reprlib.Repr()
_values.maxstring = _values.maxother = 80
_values.maxdict = _values.maxtuple = 20
_values.maxlist = 3  # rows that one statement writes


@dataclass(slots=True)
class Statement:
    """A statement that was begun; `seconds` and `error` tell how it ended."""

    number: int
    sql: object
    parameters: object
    began: float = field(default_factory=time.perf_counter)
    seconds: float | None = None
    error: str = ""

    def end(self, error: BaseException | None = None) -> None:
        """Note that it has ended, and how."""
        self.seconds = time.perf_counter() - self.began
        if error:
            self.error = f"{type(error).__name__}: {error}"

    @property
    def writes(self) -> bool:
        """Whether it changes rows or tables, going by its first word."""
        return bool(_WRITES.match(str(self.sql)))

    @property
    def is_savepoint(self) -> bool:
        """Whether it is of a savepoint, as commits are in a test's transaction."""
        return str(self.sql).startswith(_SAVEPOINTS)

    def __str__(self) -> str:
        took = "unfinished" if self.seconds is None else f"{self.seconds * 1000:.1f} ms"
        lines = [f"{self.number:>4}. {took:>10}  {_cut(str(self.sql))}"]
        if self.parameters:
            lines.append(_values.repr(self.parameters))
        if self.error:
            lines.append(_cut(self.error))
        return ("\n" + " " * 18).join(lines)


_last: deque[Statement] = deque(maxlen=LAST)
_counted: list[list[Statement]] = []  # those of each `assert_max_queries` under way
_numbers = itertools.count(1)
# What was written and committed on connections that are not the test's own.
committed_elsewhere: list[Statement] = []


def begin(sql: object, parameters: object) -> Statement:
    """Record a statement that is run now."""
    statement = Statement(next(_numbers), sql, parameters)
    _last.append(statement)
    for statements in _counted:
        statements.append(statement)
    return statement


def forget() -> None:
    """Forget what was run until now."""
    global _numbers
    _last.clear()
    _numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Every test is told of its own statements alone."""
    forget()


def summary() -> tuple[str, str]:
    """What is the title of the last statements, and they themselves."""
    shown = list(_last)
    if not shown:
        return "SQL", ""
    count = shown[-1].number
    title = "SQL" if count <= LAST else f"SQL, the last {LAST} of {count} statements"
    return title, _lines(shown)


@contextmanager
def assert_max_queries(limit: int) -> Iterator[None]:
    """Fail if more statements are run within than `limit`, and show all of them.

    Those of all threads count, but no savepoints, which commits of the application are
    in a test's transaction.
    """
    __tracebackhide__ = True
    statements: list[Statement] = []
    _counted.append(statements)
    try:
        yield
    finally:
        # Not `remove`, which takes one that is equal.
        _counted[:] = [each for each in _counted if each is not statements]
    queries = [each for each in statements if not each.is_savepoint]
    if len(queries) > limit:
        pytest.fail(
            f"{len(queries)} statements were run, where {limit} were to be enough:\n"
            + _lines(queries)
        )


def _lines(statements: Iterable[Statement]) -> str:
    return "\n".join(map(str, statements))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    cut = len(text) - LONGEST
    return f"{text[:LONGEST]} ... ({cut} more characters)" if cut > 0 else text
