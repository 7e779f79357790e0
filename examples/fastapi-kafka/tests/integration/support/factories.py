"""The base of your factories: they write through the session of the running test.

Managed by Testbed: updates change this file. Your factories go in ../factories/.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Generic, TypeVar, cast

from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

T = TypeVar("T")

# Set by the fixture `db_session`.
current_session: ContextVar[AsyncSession] = ContextVar("current_session")


def _current() -> AsyncSession:
    try:
        return current_session.get()
    except LookupError:
        raise RuntimeError(
            "a factory needs a database session: add db_session to the test's arguments"
        ) from None


def _session() -> Session:
    return _current().sync_session


class ModelFactory(SQLAlchemyModelFactory, Generic[T]):
    """Makes rows. `await ProductFactory.acreate(stock=1)`; `build()` needs no database.

    Rows are flushed, not committed: a test marked `commits` commits them itself, with
    `await db_session.commit()`, before other connections can see them.
    """

    class Meta:
        abstract = True
        sqlalchemy_session_factory = _session
        sqlalchemy_session_persistence = "flush"

    @classmethod
    async def acreate(cls, **attributes: Any) -> T:
        """Make a row, and those that it refers to."""

        def create(_: Session) -> T:
            return cast(T, cls.create(**attributes))

        # factory_boy knows no `await`; run_sync lets its flush wait for the database.
        return await _current().run_sync(create)

    @classmethod
    async def acreate_batch(cls, size: int, **attributes: Any) -> list[T]:
        """Make several rows."""
        return [await cls.acreate(**attributes) for _ in range(size)]
