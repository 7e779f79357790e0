"""The declarative base, and where engine and sessions are made."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase

SessionFactory = async_sessionmaker[AsyncSession]


class Base(DeclarativeBase):
    # Migrations can only drop or change a constraint whose name they know.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


def make_engine(url: str) -> AsyncEngine:
    """An engine that gives up soon on a database that is away."""
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=5,
        connect_args={"connect_timeout": 5},
    )


def make_session_factory(engine: AsyncEngine) -> SessionFactory:
    """What opens sessions on an engine."""
    # Answers are made after the commit; expired attributes would be loaded again.
    return async_sessionmaker(engine, expire_on_commit=False)


async def get_session_factory(request: Request) -> SessionFactory:
    """The source of every session: override it to bring your own."""
    factory: SessionFactory = request.app.state.session_factory
    return factory


async def get_session(
    session_factory: Annotated[SessionFactory, Depends(get_session_factory)],
) -> AsyncIterator[AsyncSession]:
    """A session for one request, rolled back unless the use case commits it."""
    async with session_factory() as session:
        yield session
