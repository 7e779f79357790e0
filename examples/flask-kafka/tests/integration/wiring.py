"""The one seam between the test bed and the application. Yours: change it as you like.

The managed fixtures call these functions with these arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import flask_migrate
from flask import Flask
from pydantic import SecretStr
from sqlalchemy.orm import Session, sessionmaker

from shop.database import init_database
from shop.main import create_app
from shop.settings import Settings

from .support.endpoints import Endpoint

ROOT = Path(__file__).parents[2]


def migrate(database: Endpoint) -> None:
    """Bring an empty database to the newest schema; `own_database` calls it, too."""
    app = Flask("shop")
    init_database(app, database.url("postgresql+psycopg"))
    with app.app_context():
        flask_migrate.upgrade()
        app.extensions["sqlalchemy"].engine.dispose()


def migration_files() -> Iterable[Path]:
    """What the schema is made of: while it is the same, a kept database is, too."""
    package = ROOT / "src" / "shop"
    return (package / "migrations").rglob("*.py")


def create_application(
    database: Endpoint,
    cache: Endpoint,
    broker: Endpoint,
) -> Flask:
    """Build the application, pointed at these services; `faults` gets another one."""
    application = create_app(
        Settings(
            database_url=database.url("postgresql+psycopg"),
            cache_url=cache.url("redis"),
            broker_url=broker.url("kafka"),
            relay_seconds=0.2,  # or tests would wait
            exchange_rates_url="http://127.0.0.1:1",  # nowhere
            secret_key=SecretStr("insecure-integration-test-key-not-a-secret"),
        )
    )
    application.testing = True  # Errors that nobody handles reach the test.
    return application


@contextmanager
def use_session_factory(
    application: Flask, session_factory: sessionmaker[Session]
) -> Iterator[None]:
    """Make the application take its sessions from here, as long as a test lasts."""
    with application.app_context():
        db = application.extensions["sqlalchemy"]
        db.session.configure(join_transaction_mode="create_savepoint")
        # Where its sessions look for one; a `bind` of their own they would ignore.
        engines = db.engines
    own = engines[None]
    engines[None] = session_factory.kw["bind"]
    yield
    engines[None] = own
