"""A small API over a list of notes in the database."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import (
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)


def get_sessions(request: Request) -> async_sessionmaker[AsyncSession]:
    """Give the application's session factory."""
    sessions: async_sessionmaker[AsyncSession] = request.app.state.sessions
    return sessions


Sessions = Annotated[async_sessionmaker[AsyncSession], Depends(get_sessions)]


def create_app(database_url: str) -> FastAPI:
    """Build the application."""
    app = FastAPI()
    app.state.sessions = async_sessionmaker(create_async_engine(database_url))

    @app.put("/notes/{name}")
    async def put(name: str, sessions: Sessions) -> dict[str, Any]:
        async with sessions.begin() as session:
            await session.execute(text("INSERT INTO notes (name) VALUES (:name)"), {"name": name})
        return {"name": name}

    @app.get("/notes")
    async def get(sessions: Sessions) -> list[str]:
        async with sessions() as session:
            found = await session.execute(text("SELECT name FROM notes ORDER BY name"))
            return list(found.scalars())

    return app
