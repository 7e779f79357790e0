"""An order's way through all services. Yours: change it with the application.

The consumer has connections of its own, so these tests commit for real.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import field_serializer
from sqlalchemy.orm import Session

from shop.consumer import confirm_order, run
from shop.events import OrderCreated
from shop.messaging import Publisher, consume
from shop.models import Order

from .factories import OrderFactory, ProductFactory
from .support.endpoints import Endpoint
from .support.faults import Faults
from .support.waiting import wait_until

pytestmark = pytest.mark.commits


@contextmanager
def beside(
    consumer: Callable[..., None], stop: threading.Event | None = None
) -> Iterator[None]:
    """Run a consumer beside the test, as it would run in production."""
    ready, stop = threading.Event(), stop or threading.Event()
    # A daemon, so that nothing waits for it when the test is interrupted.
    thread = threading.Thread(
        target=consumer, kwargs={"ready": ready, "stop": stop}, daemon=True
    )
    thread.start()
    try:
        assert ready.wait(timeout=10)
        yield
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture
def consumer(app: Flask) -> Iterator[None]:
    """The application's own consumer."""
    with beside(partial(run, app)):
        yield


def test_an_order_is_stored_announced_and_confirmed(
    client: FlaskClient,
    db_session: Session,
    consumer: None,
    as_buyer: dict[str, str],
) -> None:
    tea = ProductFactory.create(stock=5)
    db_session.commit()
    line = {"product_id": tea.id, "quantity": 2}

    placed = client.post("/orders", json={"lines": [line]}, headers=as_buyer)
    assert placed.status_code == 201
    assert placed.get_json()["status"] == "pending"

    def is_confirmed() -> bool:
        found = client.get(f"/orders/{placed.get_json()['id']}", headers=as_buyer)
        return bool(found.get_json()["status"] == "confirmed")

    wait_until(is_confirmed, what="the consumer to confirm the order")
    db_session.refresh(tea)
    assert tea.stock == 3


def test_a_refused_order_is_not_announced(
    app: Flask,
    client: FlaskClient,
    db_session: Session,
    as_buyer: dict[str, str],
) -> None:
    none_left = ProductFactory.create(stock=0)
    some_left = ProductFactory.create(stock=1)
    db_session.commit()
    heard: list[OrderCreated] = []

    url = app.config["SETTINGS"].broker_url
    with beside(partial(consume, url, heard.append, group="audit")):
        for product in (none_left, some_left):
            order = {"lines": [{"product_id": product.id, "quantity": 1}]}
            answer = client.post("/orders", json=order, headers=as_buyer)

        # Events come in order: had the first been announced, it would be here too.
        wait_until(lambda: heard, what="the announcement")

    assert [event.order_id for event in heard] == [answer.get_json()["id"]]


def logged(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    """What has these words in it, in the order in which it was logged."""
    return [record.message for record in caplog.records if words in record.message]


def test_orders_are_announced_once_the_broker_is_back(
    app: Flask,
    client: FlaskClient,
    db_session: Session,
    as_buyer: dict[str, str],
    faults: Faults,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tea = ProductFactory.create(stock=5)
    db_session.commit()
    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    caplog.set_level("INFO")

    def all_are_handled() -> bool:
        return len(logged(caplog, "confirmed: True")) == len(placed)

    with beside(partial(run, app)):
        with faults.broker.down():
            placed = [
                client.post("/orders", json=order, headers=as_buyer) for _ in range(2)
            ]
        wait_until(all_are_handled, timeout=30, what="the consumer")

    assert [answer.status_code for answer in placed] == [201, 201]
    assert logged(caplog, "confirmed: True") == [
        f"Order {answer.get_json()['id']} confirmed: True" for answer in placed
    ]


def test_an_order_that_was_announced_twice_is_confirmed_once(
    app: Flask,
    client: FlaskClient,
    db_session: Session,
    as_buyer: dict[str, str],
    faults: Faults,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tea = ProductFactory.create(stock=5)
    db_session.commit()
    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    caplog.set_level("INFO")

    first = client.post("/orders", json=order, headers=as_buyer)
    with faults.broker.limit_bytes(0):  # it has the event, and cannot say so
        second = client.post("/orders", json=order, headers=as_buyer)
    assert second.status_code == 201

    def all_are_handled() -> bool:
        return len(logged(caplog, "confirmed: ")) == 3

    with beside(partial(run, app)):
        wait_until(all_are_handled, timeout=30, what="the consumer")

    assert logged(caplog, "confirmed: ") == [
        f"Order {first.get_json()['id']} confirmed: True",
        f"Order {second.get_json()['id']} confirmed: True",
        f"Order {second.get_json()['id']} confirmed: False",
    ]


@pytest.fixture
def url(broker: Endpoint) -> str:
    """Where events are, for the application's publisher and consumers."""
    return broker.url("kafka")


@pytest.fixture
def publisher(url: str) -> Iterator[Publisher]:
    """Announces events of which no order knows."""
    publisher = Publisher(url)
    yield publisher
    publisher.close()


@pytest.fixture
def announced(publisher: Publisher) -> OrderCreated:
    """An event that nobody has handled yet."""
    event = OrderCreated(order_id=1, user_id=1, total_cents=1)
    publisher.publish(event)
    return event


def test_an_event_that_was_not_handled_is_delivered_again(
    url: str, announced: OrderCreated
) -> None:
    attempts = []

    def fail_once(event: OrderCreated) -> None:
        attempts.append(event)
        if len(attempts) == 1:
            raise RuntimeError("the database was away")

    with beside(partial(consume, url, fail_once)):
        wait_until(lambda: len(attempts) == 2, what="the second delivery")

    assert attempts == [announced, announced]


class Unreadable(OrderCreated):
    """An event as an incompatible publisher would send it."""

    @field_serializer("total_cents")
    def misunderstand(self, total_cents: int) -> str:
        return f"{total_cents} cents"


def test_an_event_that_cannot_be_read_does_not_stop_the_next(
    url: str, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable = Unreadable(order_id=1, user_id=1, total_cents=1)
    readable = OrderCreated(order_id=1, user_id=1, total_cents=1)
    for event in (unreadable, readable):
        publisher.publish(event)
    handled: list[OrderCreated] = []

    with beside(partial(consume, url, handled.append)):
        wait_until(lambda: handled, what="the event that can be read")

    assert handled == [readable]
    # Put aside, not handed out again.
    assert caplog.text.count("cannot be read") == 1


def test_an_event_outlives_the_consumer_that_was_handling_it(
    url: str, announced: OrderCreated
) -> None:
    received = []

    def exit_halfway(event: OrderCreated) -> None:
        received.append(event)
        raise SystemExit

    def end_halfway(*, ready: threading.Event, stop: threading.Event) -> None:
        with suppress(SystemExit):
            consume(url, exit_halfway, ready=ready, stop=stop)

    with beside(end_halfway):
        wait_until(lambda: received, what="the first consumer to have it")
    with beside(partial(consume, url, received.append)):
        wait_until(lambda: len(received) == 2, what="the second consumer to have it")

    assert received == [announced, announced]


def test_a_consumer_that_is_stopped_finishes_its_event_and_begins_no_other(
    url: str, publisher: Publisher
) -> None:
    events = [OrderCreated(order_id=1, user_id=1, total_cents=n) for n in (1, 2)]
    for event in events:
        publisher.publish(event)
    stop = threading.Event()
    first: list[OrderCreated] = []
    second: list[OrderCreated] = []

    def take_one(event: OrderCreated) -> None:
        stop.set()
        first.append(event)

    with beside(partial(consume, url, take_one), stop):
        wait_until(lambda: first, what="the first event")
    with beside(partial(consume, url, second.append)):
        wait_until(lambda: second, what="the other event")

    assert first + second == events


def test_an_order_is_confirmed_once(app: Flask, db_session: Session) -> None:
    order = OrderFactory.create()
    db_session.commit()
    event = OrderCreated(order_id=order.id, user_id=order.user_id, total_cents=1)

    with app.app_context():
        assert confirm_order(event)
        assert not confirm_order(event)

    confirmed = db_session.get_one(Order, order.id, populate_existing=True)
    assert confirmed.status == "confirmed"
