"""Figures, and no limits: `pytest -m slow`. Yours: change it with the application."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from .factories import ProductFactory
from .support.faults import Faults

pytestmark = [pytest.mark.commits, pytest.mark.slow]

MANY = 40  # more than the pool has connections

Record = Callable[[str, object], None]


def list_products(client: FlaskClient, record_property: Record) -> None:
    """Make many requests at once, see that none fails, and record how fast that was."""
    began = perf_counter()
    with ThreadPoolExecutor(MANY) as threads:
        answers = list(threads.map(client.get, ["/products"] * MANY))
    record_property("requests per second", round(MANY / (perf_counter() - began)))
    assert {answer.status_code for answer in answers} == {200}


def test_throughput(
    client: FlaskClient, db_session: Session, record_property: Record
) -> None:
    ProductFactory.create_batch(20)
    db_session.commit()
    list_products(client, record_property)


def test_requests_wait_for_a_connection_of_the_pool(
    client: FlaskClient, faults: Faults, record_property: Record
) -> None:
    with faults.database.latency(0.05):
        list_products(client, record_property)
