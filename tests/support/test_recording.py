"""What is recorded of SQL that fails, on a database that needs no server."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest
from sqlalchemy import create_engine, text


@pytest.fixture
def recording(support: ModuleType) -> Iterator[ModuleType]:
    support.recording.pytest_configure()
    yield support.recording
    support.recording.pytest_unconfigure()


def test_a_connection_that_was_lost_can_be_rolled_back(recording: ModuleType) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        transaction = connection.begin()
        connection.execute(text("CREATE TABLE notes (name TEXT)"))
        connection.invalidate()  # as SQLAlchemy does when the server is gone
        transaction.rollback()
        assert connection.scalar(text("SELECT 1")) == 1
