"""The base of your factories: they write through the session of the running test.

Managed by Testbed: updates change this file. Your factories go in ../factories/.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Generic, TypeVar, cast

from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.orm import Session

T = TypeVar("T")

# Set by the fixture `db_session`.
current_session: ContextVar[Session] = ContextVar("current_session")


def _session() -> Session:
    try:
        return current_session.get()
    except LookupError:
        raise RuntimeError(
            "a factory needs a database session: add db_session to the test's arguments"
        ) from None


class ModelFactory(SQLAlchemyModelFactory, Generic[T]):
    """Makes rows. `ProductFactory.create(stock=1)`; `build()` needs no database.

    Rows are flushed, not committed: a test marked `commits` commits them itself, with
    `db_session.commit()`, before other connections can see them.
    """

    class Meta:
        abstract = True
        sqlalchemy_session_factory = _session
        sqlalchemy_session_persistence = "flush"

    @classmethod
    def create(cls, **attributes: Any) -> T:
        """Make a row, and those that it refers to."""
        return cast(T, super().create(**attributes))

    @classmethod
    def create_batch(cls, size: int, **attributes: Any) -> list[T]:
        """Make several rows."""
        return [cls.create(**attributes) for _ in range(size)]
