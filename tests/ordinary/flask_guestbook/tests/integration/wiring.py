"""The one seam between the test bed and your application. Yours: fill it in.

The managed fixtures call these functions with these arguments. Import your application
inside of them, not above: it may read its settings when it is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    """Bring an empty database to your newest schema; called once in a test run."""
    from models import Base

    engine = create_engine(database.url("postgresql+psycopg"))
    Base.metadata.create_all(engine)
    engine.dispose()


def create_application(
    database: Endpoint,
    broker: Endpoint,
) -> Flask:
    """Build your application, pointed at these services; called once in a process."""
    os.environ["DATABASE_URL"] = database.url("postgresql+psycopg")
    os.environ["AMQP_URL"] = broker.url("amqp")
    from app import app

    return app


@contextmanager
def use_session_factory(
    application: Flask, session_factory: sessionmaker[Session]
) -> Iterator[None]:
    """Make your application take its sessions from here, as long as a test lasts."""
    from database import db_session, engine

    db_session.remove()
    db_session.configure(
        bind=session_factory.kw["bind"], join_transaction_mode="create_savepoint"
    )
    yield
    db_session.remove()
    db_session.configure(bind=engine)  # your own, for tests elsewhere
