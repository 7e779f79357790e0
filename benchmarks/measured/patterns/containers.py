"""A container with PostgreSQL, by the `docker` command, for the conftests here."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from shop.database import Base
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

IMAGE = os.environ.get("POSTGRES_IMAGE", "postgres:18")


def docker(*arguments: str) -> str:
    command = ["docker", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def container() -> Iterator[str]:
    """Start one, and give the URL for psycopg; it does not answer yet."""
    options = ["--detach", "--env=POSTGRES_PASSWORD=test", "--publish=127.0.0.1::5432"]
    identity = docker("run", *options, IMAGE).strip()
    try:
        address = docker("port", identity, "5432").strip()
        yield f"postgresql://postgres:test@{address}/postgres"
    finally:
        docker("rm", "--force", "--volumes", identity)


def poll(url: str) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + 120
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def engine_of(url: str) -> Engine:
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


@contextmanager
def emptied_session(engine: Engine) -> Iterator[Session]:
    """A session, after which the rows of all tables are deleted."""
    with Session(engine) as session:
        yield session
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
