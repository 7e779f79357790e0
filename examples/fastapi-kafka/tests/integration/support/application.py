"""The application under test, and a client of its HTTP API.

Managed by Testbed: updates change this file. How to build the application is for you to
say, in ../wiring.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from httpx2.websockets import ASGIWebSocketTransport
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .. import wiring
from .endpoints import Endpoint
from .faults import Faults


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


@pytest.fixture(scope="session")
def proxied_application(application: FastAPI, proxies: Faults) -> FastAPI:
    """The application of tests with `faults`: another one, which proxies lead to.

    Where there is but one, as with an engine in a module, override this fixture in
    ../conftest.py: lead it to `proxies.database.endpoint`, and back after the test.
    """
    proxied = wiring.create_application(
        database=proxies.database.endpoint,
        cache=proxies.cache.endpoint,
        broker=proxies.broker.endpoint,
    )
    if proxied is application:
        pytest.fail(
            "create_application() in wiring.py gives the same application again, which"
            " does not lead to the proxies: override the fixture proxied_application"
            " in conftest.py.",
            pytrace=False,
        )
    return proxied


@pytest.fixture
def tested_application(request: pytest.FixtureRequest, application: FastAPI) -> FastAPI:
    """The application of this test: with `faults`, the one behind proxies."""
    if "faults" in request.fixturenames:
        proxied: FastAPI = request.getfixturevalue("proxied_application")
        return proxied
    return application


@pytest.fixture
async def app(
    request: pytest.FixtureRequest,
    tested_application: FastAPI,
    session_factory: async_sessionmaker[AsyncSession],
) -> AsyncIterator[FastAPI]:
    """The application, started: its lifespan runs, its sessions are the test's.

    With `faults` they are its own.
    """
    application = tested_application
    sessions: AbstractContextManager[None] = nullcontext()
    if "faults" not in request.fixturenames:
        sessions = wiring.use_session_factory(application, session_factory)
    overrides = application.dependency_overrides.copy()
    async with application.router.lifespan_context(application):
        with sessions:
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
