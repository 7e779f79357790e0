"""No test sees what another one did. Managed by Testbed: do not edit.

Every test here but the last comes twice or more, and finds the world empty each time:
whichever runs first, alone, in parallel or in random order, the others would see what
it left behind.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from .support.endpoints import Endpoint
from .support.processes import Process

SessionFactory = sessionmaker[Session]

COUNT = text("SELECT count(*) FROM isolation_probe")
INSERT = text("INSERT INTO isolation_probe (name) VALUES (:name)")


@pytest.fixture(scope="module", autouse=True)
def isolation_probe(engine: Engine) -> Iterator[None]:
    """A table of our own, so that the proof needs none of the application's."""
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE isolation_probe (name varchar(20) UNIQUE)")
        )
    yield
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE isolation_probe"))


@pytest.fixture(params=["first", "second"])
def visit(request: pytest.FixtureRequest) -> str:
    """Makes a test come twice."""
    return str(request.param)


def rows(session: Session) -> int:
    return int(session.execute(COUNT).scalar_one())


def test_a_commit_is_undone(db_session: Session, visit: str) -> None:
    assert rows(db_session) == 0
    db_session.execute(INSERT, {"name": "committed"})
    db_session.commit()
    assert rows(db_session) == 1


def test_a_rollback_keeps_what_was_committed(
    db_session: Session,
    visit: str,
) -> None:
    assert rows(db_session) == 0
    db_session.execute(INSERT, {"name": "committed"})
    db_session.commit()
    db_session.execute(INSERT, {"name": "rolled back"})
    db_session.rollback()
    assert rows(db_session) == 1
    db_session.execute(INSERT, {"name": "again"})
    db_session.commit()
    assert rows(db_session) == 2


def test_an_integrity_error_is_survived(
    db_session: Session,
    visit: str,
) -> None:
    assert rows(db_session) == 0
    db_session.execute(INSERT, {"name": "unique"})
    db_session.commit()
    with pytest.raises(IntegrityError):
        db_session.execute(INSERT, {"name": "unique"})
    db_session.rollback()
    assert rows(db_session) == 1


def test_sessions_of_one_test_see_each_other(
    session_factory: SessionFactory, visit: str
) -> None:
    with session_factory() as writer, session_factory() as reader:
        assert rows(reader) == 0
        writer.execute(INSERT, {"name": "shared"})
        writer.commit()
        assert rows(reader) == 1


def test_another_connection_sees_nothing(
    db_session: Session, engine: Engine, visit: str
) -> None:
    db_session.execute(INSERT, {"name": "committed"})
    db_session.commit()
    with engine.connect() as other:
        assert other.execute(COUNT).scalar_one() == 0


@pytest.mark.commits
def test_a_real_commit_is_seen_by_others_and_removed(
    db_session: Session, engine: Engine, visit: str
) -> None:
    assert rows(db_session) == 0
    db_session.execute(INSERT, {"name": "committed"})
    db_session.commit()
    with engine.connect() as other:
        assert other.execute(COUNT).scalar_one() == 1


@pytest.mark.fresh_database
def test_the_tables_of_a_fresh_database_may_be_changed(
    db_session: Session, visit: str
) -> None:
    # There is no such table yet: ours is in the database of the other tests.
    db_session.execute(text("CREATE TABLE isolation_probe (name varchar(20))"))
    db_session.commit()
    assert rows(db_session) == 0


def test_this_process_has_a_database_of_its_own(
    database: Endpoint, postgres: Endpoint, process: Process
) -> None:
    assert database.database == process.name != postgres.database
