"""Alembic runs this file to find the database and what it should look like."""

import logging

from alembic import context
from sqlalchemy import NullPool, create_engine

import shop.models  # noqa: F401 - fills the metadata
from shop.database import Base
from shop.settings import DatabaseSettings

config = context.config

if config.cmd_opts:  # Only on the command line is logging ours to set up.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

# A program that runs migrations, such as a test, may bring its own database.
url = config.attributes.get("database_url") or DatabaseSettings().database_url

if context.is_offline_mode():
    context.configure(url=url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
