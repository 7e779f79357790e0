"""The seam to this repository, written by hand."""

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    from app.db import Base

    engine = create_engine(database.url("postgresql+psycopg"))
    Base.metadata.create_all(engine)
    engine.dispose()


def create_application(database: Endpoint) -> FastAPI:
    from app.main import app

    return app


def use_session_factory(
    application: FastAPI, session_factory: async_sessionmaker[AsyncSession]
) -> None:
    from app.db import SessionLocal

    SessionLocal.configure(**session_factory.kw)
