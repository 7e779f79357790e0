"""Alembic runs this file to find the database and what it should look like."""

import logging

import click
from alembic import context
from flask import current_app

if click.get_current_context(silent=True):
    # Only on the command line is logging ours to set up.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

db = current_app.extensions["migrate"].db

if context.is_offline_mode():
    context.configure(
        url=db.engine.url,
        target_metadata=db.metadata,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=db.metadata)
        with context.begin_transaction():
            context.run_migrations()
