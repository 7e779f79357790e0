"""What only a real MySQL shows. Yours: change it, or delete it."""

from __future__ import annotations

from collections.abc import Iterator

import pymysql
import pytest
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from .support.endpoints import Endpoint
from .support.mysql import RESET, connect, query


@pytest.fixture
def connection(database: Endpoint) -> Iterator[Connection[Cursor]]:
    """A plain connection, which commits every statement, and a table of jobs."""
    with connect(database) as connection:
        query(connection, "CREATE TABLE jobs (id int, CONSTRAINT jobs_id UNIQUE (id))")
        query(connection, "INSERT INTO jobs VALUES (1), (2)")
        yield connection
        query(connection, "DROP TABLE jobs")


def test_two_workers_take_different_jobs(
    connection: Connection[Cursor], database: Endpoint
) -> None:
    take = "SELECT id FROM jobs ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    with connect(database) as other:
        connection.begin()
        assert query(connection, take) == [(1,)]
        assert query(other, take) == [(2,)]
        connection.rollback()


def test_a_duplicate_is_refused(connection: Connection[Cursor]) -> None:
    with pytest.raises(pymysql.IntegrityError, match="jobs_id"):
        query(connection, "INSERT INTO jobs VALUES (1)")


def test_a_reset_empties_every_table(connection: Connection[Cursor]) -> None:
    query(connection, RESET)
    assert query(connection, "SELECT count(*) FROM jobs") == [(0,)]
