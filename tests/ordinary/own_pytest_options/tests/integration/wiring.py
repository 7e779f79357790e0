"""The seam to this repository, written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from notes.api import create_app, get_sessions

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    with psycopg.connect(database.url("postgresql")) as connection:
        connection.execute("CREATE TABLE notes (name text PRIMARY KEY)")


def create_application(database: Endpoint) -> FastAPI:
    return create_app(database.url("postgresql+psycopg"))


def use_session_factory(
    application: FastAPI, session_factory: async_sessionmaker[AsyncSession]
) -> None:
    application.dependency_overrides[get_sessions] = lambda: session_factory
