"""The application under test, and a client of its HTTP API.

Managed by Testbed: updates change this file. How to build the application is for you to
say, in ../wiring.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from httpx2.websockets import ASGIWebSocketTransport
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .. import wiring
from .endpoints import Endpoint


@pytest.fixture(scope="session")
def application(
    database: Endpoint,
    cache: Endpoint,
    broker: Endpoint,
) -> FastAPI:
    """The application, built once: its routes do not change between tests."""
    return wiring.create_application(
        database=database,
        cache=cache,
        broker=broker,
    )


@pytest.fixture
async def app(
    application: FastAPI,
    session_factory: async_sessionmaker[AsyncSession],
) -> AsyncIterator[FastAPI]:
    """The application, started: its lifespan runs, its sessions are the test's."""
    overrides = application.dependency_overrides.copy()
    async with application.router.lifespan_context(application):
        with wiring.use_session_factory(application, session_factory):
            yield application
    application.dependency_overrides = overrides  # which other tests may have


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of the application; nothing goes over the network.

    Besides HTTP, it speaks WebSocket: `async with client.websocket(path) as socket`.
    """
    transport = ASGIWebSocketTransport(app)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
