"""An order's way through all services. Yours: change it with the application.

The consumer has connections of its own, so these tests commit for real.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from django.conf import settings
from django.db import connections
from pydantic import field_serializer
from rest_framework.test import APIClient

from shop.consumer import confirm_order, run
from shop.events import OrderCreated
from shop.messaging import Publisher, consume
from shop.models import Order

from .factories import OrderFactory, ProductFactory
from .support.endpoints import Endpoint
from .support.waiting import wait_until

pytestmark = pytest.mark.commits


@contextmanager
def beside(
    consumer: Callable[..., None], stop: threading.Event | None = None
) -> Iterator[None]:
    """Run a consumer beside the test, as it would run in production."""
    ready, stop = threading.Event(), stop or threading.Event()

    def run_consumer() -> None:
        try:
            consumer(ready=ready, stop=stop)
        finally:
            connections.close_all()  # which are the thread's own

    # A daemon, so that nothing waits for it when the test is interrupted.
    thread = threading.Thread(target=run_consumer, daemon=True)
    thread.start()
    try:
        assert ready.wait(timeout=10)
        yield
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture
def consumer(application: None, db: None) -> Iterator[None]:
    """The application's own consumer."""
    with beside(run):
        yield


def test_an_order_is_stored_announced_and_confirmed(
    as_buyer: APIClient, consumer: None
) -> None:
    tea = ProductFactory.create(stock=5)
    line = {"product_id": tea.pk, "quantity": 2}

    placed = as_buyer.post("/orders", {"lines": [line]})
    assert placed.status_code == 201
    assert placed.json()["status"] == "pending"

    def is_confirmed() -> bool:
        found = as_buyer.get(f"/orders/{placed.json()['id']}")
        return bool(found.json()["status"] == "confirmed")

    wait_until(is_confirmed, what="the consumer to confirm the order")
    tea.refresh_from_db()
    assert tea.stock == 3


def test_a_refused_order_is_not_announced(as_buyer: APIClient) -> None:
    none_left = ProductFactory.create(stock=0)
    some_left = ProductFactory.create(stock=1)
    heard: list[OrderCreated] = []

    with beside(partial(consume, settings.BROKER_URL, heard.append, group="audit")):
        for product in (none_left, some_left):
            order = {"lines": [{"product_id": product.pk, "quantity": 1}]}
            answer = as_buyer.post("/orders", order)

        # Events come in order: had the first been announced, it would be here too.
        wait_until(lambda: heard, what="the announcement")

    assert [event.order_id for event in heard] == [answer.json()["id"]]


@pytest.fixture
def url(broker: Endpoint) -> str:
    """Where events are, for the application's publisher and consumers."""
    return broker.url("amqp")


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


def test_an_order_is_confirmed_once(db: None) -> None:
    order = OrderFactory.create()
    event = OrderCreated(order_id=order.pk, user_id=order.user_id, total_cents=1)

    assert confirm_order(event)
    assert not confirm_order(event)

    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
