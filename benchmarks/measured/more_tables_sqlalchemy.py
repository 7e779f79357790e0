"""A migration that isolation.py adds: tables beside those of the application."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
TABLES = 0  # in the end, but for Alembic's own


def upgrade() -> None:
    own = len(sa.inspect(op.get_bind()).get_table_names()) - 1
    for number in range(TABLES - own):
        op.create_table(f"more_{number}", sa.Column("id", sa.Integer, primary_key=True))
