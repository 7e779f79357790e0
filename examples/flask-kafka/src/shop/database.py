"""The declarative base, and where sessions and migrations come from."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Models inherit from it, as type checkers do not understand `db.Model`."""

    # Migrations can only drop or change a constraint whose name they know.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


db = SQLAlchemy(
    model_class=Base,
    engine_options={
        "pool_pre_ping": True,
        "pool_timeout": 5,
        "connect_args": {"connect_timeout": 5},
    },
    # Answers are made after the commit; expired attributes would be loaded again.
    session_options={"expire_on_commit": False},
)
migrate = Migrate(directory=Path(__file__).parent / "migrations")


def init_database(app: Flask, url: str) -> None:
    """Give the application `db.session`, and the commands of `flask db`."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    migrate.init_app(app, db)
