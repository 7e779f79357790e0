"""What only a real PostgreSQL shows. Yours: change it, or delete it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from .support.endpoints import Endpoint
from .support.postgres import RESET, connect


@pytest.fixture
def connection(database: Endpoint) -> Iterator[psycopg.Connection]:
    """A plain connection, which commits every statement, and a table of jobs."""
    with connect(database) as connection:
        connection.execute("CREATE TABLE jobs (id int PRIMARY KEY)")
        connection.execute("INSERT INTO jobs VALUES (1), (2)")
        yield connection
        connection.execute("DROP TABLE jobs")


def test_two_workers_take_different_jobs(
    connection: psycopg.Connection, database: Endpoint
) -> None:
    take = "SELECT id FROM jobs ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    with connection.transaction(), connect(database) as other:
        assert connection.execute(take).fetchone() == (1,)
        assert other.execute(take).fetchone() == (2,)


def test_a_duplicate_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation, match="jobs_pkey"):
        connection.execute("INSERT INTO jobs VALUES (1)")


def test_a_reset_empties_every_table(connection: psycopg.Connection) -> None:
    connection.execute(RESET)
    assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
