"""Events wait until the broker has them. Yours: change it with the application.

Whoever relays them has a connection of its own, so these tests commit for real.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shop.events import OrderCreated
from shop.messaging import Publisher
from shop.models import OutboxEvent
from shop.outbox import relay, store

from .factories import ProductFactory
from .support.endpoints import Endpoint

pytestmark = pytest.mark.commits

DEADLINE = 10  # seconds


@pytest.fixture
def url(broker: Endpoint) -> str:
    """Where events are published."""
    return broker.url("kafka")


def store_events(session: Session, *order_ids: int) -> None:
    for order_id in order_ids:
        store(session, OrderCreated(order_id=order_id, user_id=1, total_cents=1))
        session.flush()  # or their order would be left to SQLAlchemy
    session.commit()


def stored_events(session: Session) -> list[int]:
    """The orders whose events wait."""
    rows = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
    return [row.event["order_id"] for row in rows]


def test_an_announced_order_leaves_no_event(
    client: FlaskClient, db_session: Session, as_buyer: dict[str, str]
) -> None:
    tea = ProductFactory.create()
    db_session.commit()

    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    client.post("/orders", json=order, headers=as_buyer)

    assert stored_events(db_session) == []


def test_an_event_is_first_left_to_the_request_that_stored_it(
    db_session: Session, url: str
) -> None:
    store_events(db_session, 1)
    publisher = Publisher(url)

    relay(db_session, publisher, min_age=timedelta(hours=1))
    publisher.close()

    assert stored_events(db_session) == [1]


def test_two_relays_at_once_publish_each_event_once(
    db_session: Session,
    session_factory: sessionmaker[Session],
    url: str,
) -> None:
    store_events(db_session, 1, 2)
    published = []
    both = threading.Barrier(2, timeout=DEADLINE)

    class Together(Publisher):
        def publish(self, event: OrderCreated) -> None:
            both.wait()
            super().publish(event)
            published.append(event.order_id)

    publisher = Together(url)

    def relay_all() -> None:
        with session_factory() as session:
            relay(session, publisher, min_age=timedelta())

    with ThreadPoolExecutor() as threads:
        relays = [threads.submit(relay_all) for _ in range(2)]
    for each in relays:
        each.result()
    publisher.close()

    assert sorted(published) == [1, 2]
    assert stored_events(db_session) == []


def test_an_order_is_placed_while_a_relay_waits_for_the_broker(
    client: FlaskClient,
    db_session: Session,
    session_factory: sessionmaker[Session],
    as_buyer: dict[str, str],
    url: str,
) -> None:
    tea = ProductFactory.create()
    db_session.commit()
    store_events(db_session, 0)
    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    statuses = []

    class Slow(Publisher):
        def publish(self, event: OrderCreated) -> None:
            answer = client.post("/orders", json=order, headers=as_buyer)
            statuses.append(answer.status_code)
            super().publish(event)

    publisher = Slow(url)
    with session_factory() as session:
        relay(session, publisher, min_age=timedelta())
    publisher.close()

    assert statuses == [201]
    assert stored_events(db_session) == []
