"""The application under test, and a client of its HTTP API.

Managed by Testbed: updates change this file. How to build the application is for you to
say, in ../wiring.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from .. import wiring
from .endpoints import Endpoint
from .faults import Faults


@pytest.fixture(scope="session")
def application(
    database: Endpoint,
    cache: Endpoint,
    broker: Endpoint,
) -> Flask:
    """The application, built once: its routes do not change between tests."""
    application = wiring.create_application(
        database=database,
        cache=cache,
        broker=broker,
    )
    # It may have connected while it was built; what tests give it are others.
    _disconnect(application)
    return application


@pytest.fixture(scope="session")
def proxied_application(application: Flask, proxies: Faults) -> Flask:
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
def app(
    request: pytest.FixtureRequest,
    application: Flask,
    session_factory: sessionmaker[Session],
) -> Iterator[Flask]:
    """The application; its sessions are the test's, or with `faults` its own."""
    if "faults" in request.fixturenames:
        proxied: Flask = request.getfixturevalue("proxied_application")
        yield proxied
        _disconnect(proxied)
        return
    with wiring.use_session_factory(application, session_factory):
        _refuse_other_sessions(application, session_factory)
        yield application


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """An HTTP client of the application; nothing goes over the network."""
    return app.test_client()


def _engines(application: Flask) -> list[Any]:
    """Where Flask-SQLAlchemy, if the application has it, takes connections from."""
    if "sqlalchemy" not in application.extensions:
        return []
    with application.app_context():
        return list(application.extensions["sqlalchemy"].engines.values())


def _disconnect(application: Flask) -> None:
    for engine in _engines(application):
        engine.dispose()


def _refuse_other_sessions(
    application: Flask, session_factory: sessionmaker[Session]
) -> None:
    """Fail before Flask-SQLAlchemy writes rows that would stay.

    Its sessions look for engines in a place of their own: one that was merely told to
    use the test's connection writes past it.
    """
    engines = _engines(application)
    if not engines:
        return
    wanted = session_factory.kw
    with application.app_context():
        mode = application.extensions["sqlalchemy"].session().join_transaction_mode
    if wanted["bind"] not in engines or mode != wanted.get(
        "join_transaction_mode", mode
    ):
        pytest.fail(
            "use_session_factory() in wiring.py has not led Flask-SQLAlchemy into the"
            " test's transaction: what this test commits would stay.",
            pytrace=False,
        )
