"""The one seam between the test bed and your application. Yours: fill it in.

The managed fixtures call these functions with these arguments. Import your application
inside of them, not above: it may read its settings when it is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import flask_migrate
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy.orm import Session, sessionmaker

from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    """Bring an empty database to your newest schema; called once in a test run."""
    from inventory.extensions import db

    app = Flask("inventory")
    app.config["SQLALCHEMY_DATABASE_URI"] = database.url("mysql+pymysql")
    db.init_app(app)
    Migrate(app, db)
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()


def create_application(
    database: Endpoint,
) -> Flask:
    """Build your application, pointed at these services; called once in a process."""
    os.environ["DATABASE_URL"] = database.url("mysql+pymysql")
    from inventory import create_app

    return create_app()


@contextmanager
def use_session_factory(
    application: Flask, session_factory: sessionmaker[Session]
) -> Iterator[None]:
    """Make your application take its sessions from here, as long as a test lasts."""
    with application.app_context():
        db = application.extensions["sqlalchemy"]
        db.session.configure(join_transaction_mode="create_savepoint")
        # Where its sessions look for one; a `bind` of their own they would ignore.
        engines = db.engines
    own = engines[None]
    engines[None] = session_factory.kw["bind"]
    yield
    engines[None] = own
