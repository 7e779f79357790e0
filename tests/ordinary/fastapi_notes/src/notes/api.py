"""A small API over a list of notes in the database, and how often each was read."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Give a session of its own to a request."""
    async with request.app.state.sessions() as session:
        yield session


def get_redis(request: Request) -> Redis:
    """Give the application's Redis client."""
    client: Redis = request.app.state.redis
    return client


Session = Annotated[AsyncSession, Depends(get_session)]
Readers = Annotated[Redis, Depends(get_redis)]


def create_app(database_url: str, redis_url: str) -> FastAPI:
    """Build the application."""
    engine = create_async_engine(database_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Redis.from_url(redis_url) as client:
            app.state.redis = client
            yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.sessions = async_sessionmaker(engine)

    @app.put("/notes/{name}")
    async def put(name: str, session: Session) -> dict[str, Any]:
        await session.execute(text("INSERT INTO notes (name) VALUES (:name)"), {"name": name})
        await session.commit()
        return {"name": name}

    @app.get("/notes")
    async def get_all(session: Session) -> list[str]:
        found = await session.execute(text("SELECT name FROM notes ORDER BY name"))
        return list(found.scalars())

    @app.get("/notes/{name}")
    async def get(name: str, session: Session, readers: Readers) -> dict[str, Any]:
        exists = text("SELECT 1 FROM notes WHERE name = :name")
        if not await session.scalar(exists, {"name": name}):
            raise HTTPException(404)
        return {"name": name, "read": await readers.incr(f"read:{name}")}

    return app
