"""The example application's events, in cases too slow for its own tests."""

from __future__ import annotations

import pytest

from .conftest import MakeRepository

STACKS = [
    pytest.param(access, broker, id=f"{access}-{broker}")
    for access in ("async", "sync")
    for broker in ("rabbitmq", "kafka")
]

STOPS = """\
import asyncio
from contextlib import suppress

import pytest

from shop.events import OrderCreated
from shop.messaging import Publisher, consume


async def stop(consumer):
    consumer.cancel()
    with suppress(asyncio.CancelledError):
        await consumer


@pytest.mark.anyio
async def test_an_event_is_not_put_aside_before_anybody_has_handled_it(broker):
    url = broker.url("amqp")
    publisher = Publisher(url)
    for number in (1, 2):
        event = OrderCreated(order_id=number, user_id=1, total_cents=1)
        await publisher.publish(event)
    await publisher.close()

    received = asyncio.Queue()

    async def never_end(event):
        await received.put(event.order_id)
        await asyncio.Event().wait()

    # As often as it takes to put an event aside.
    for _ in range(4):
        consumer = asyncio.create_task(consume(url, never_end))
        assert await asyncio.wait_for(received.get(), timeout=10) == 1
        await stop(consumer)

    async def note(event):
        await received.put(event.order_id)

    consumer = asyncio.create_task(consume(url, note))
    assert await asyncio.wait_for(received.get(), timeout=10) == 2
    await stop(consumer)
"""


def test_stops_of_a_consumer_do_not_count_against_what_it_had_not_begun(
    make_repository: MakeRepository,
) -> None:
    repository = make_repository(cache="none")
    result = repository.pytest(repository.add_test("stops", STOPS))
    assert result.code == 0, result.output


REFUSED = """\
import pytest

from shop.messaging import Publisher


@pytest.mark.parametrize("url", URLS)
def test_refuses(url):
    with pytest.raises(ValueError, match="URL is like SCHEME:|Port"):
        Publisher(url)
"""


@pytest.mark.parametrize(("access", "broker"), STACKS)
def test_a_url_of_no_broker_is_refused_before_there_is_an_event(
    make_repository: MakeRepository, access: str, broker: str
) -> None:
    repository = make_repository(database_access=access, broker=broker, cache="none")
    scheme = {"rabbitmq": "amqp", "kafka": "kafka"}[broker]
    urls = ["", "127.0.0.1:1", "http://127.0.0.1:1", f"{scheme}:///name"]
    if broker == "rabbitmq":
        urls.append("amqp://user:a/password@127.0.0.1:1")  # the `/` is not quoted
    refused = REFUSED.replace("URLS", str(urls)).replace("SCHEME", scheme)
    result = repository.pytest(repository.add_test("urls", refused))
    assert result.code == 0, result.output


FAILURES_ASYNC = """\
import asyncio
import inspect

import pytest

from shop import messaging
from shop.events import OrderCreated

from .test_order_workflow import announced, beside, publisher, url

pytestmark = pytest.mark.anyio


class Failing:
    def __init__(self):
        self.tries = asyncio.Queue()

    async def __call__(self, event):
        self.tries.put_nowait(event)
        if event.total_cents == 1:
            raise RuntimeError("the database is away")

    async def next(self):
        return await asyncio.wait_for(self.tries.get(), timeout=10)


async def test_an_outage_does_not_put_an_event_aside(url, announced, monkeypatch):
    monkeypatch.setattr(messaging, "REDELIVERY_SECONDS", (0, 0, 3600))
    failing, received = Failing(), asyncio.Queue()

    ready = asyncio.Event()
    async with beside(messaging.consume(url, failing, ready=ready), ready):
        assert [await failing.next() for _ in range(3)] == [announced] * 3
    # It was stopped in the pause before the last try, which is the next consumer's.
    ready = asyncio.Event()
    async with beside(messaging.consume(url, received.put, ready=ready), ready):
        assert await asyncio.wait_for(received.get(), timeout=10) == announced


async def test_an_event_that_always_fails_is_put_aside(
    broker, url, announced, publisher, monkeypatch
):
    monkeypatch.setattr(messaging, "REDELIVERY_SECONDS", (0, 0, 0))
    failing = Failing()
    good = OrderCreated(order_id=2, user_id=1, total_cents=2)

    ready = asyncio.Event()
    async with beside(messaging.consume(url, failing, ready=ready), ready):
        assert [await failing.next() for _ in range(4)] == [announced] * 4
        await publisher.publish(good)
        assert await failing.next() == good
    found = dead_letters(broker)
    assert len(await found if inspect.isawaitable(found) else found) == 1
"""

FAILURES_SYNC = """\
from functools import partial
from queue import SimpleQueue

from shop import messaging
from shop.events import OrderCreated

from .test_order_workflow import announced, beside, publisher, url


class Failing:
    def __init__(self):
        self.tries = SimpleQueue()

    def __call__(self, event):
        self.tries.put(event)
        if event.total_cents == 1:
            raise RuntimeError("the database is away")

    def next(self):
        return self.tries.get(timeout=10)


def test_an_outage_does_not_put_an_event_aside(url, announced, monkeypatch):
    monkeypatch.setattr(messaging, "REDELIVERY_SECONDS", (0, 0, 3600))
    failing, received = Failing(), SimpleQueue()

    with beside(partial(messaging.consume, url, failing)):
        assert [failing.next() for _ in range(3)] == [announced] * 3
    # It was stopped in the pause before the last try, which is the next consumer's.
    with beside(partial(messaging.consume, url, received.put)):
        assert received.get(timeout=10) == announced


def test_an_event_that_always_fails_is_put_aside(
    broker, url, announced, publisher, monkeypatch
):
    monkeypatch.setattr(messaging, "REDELIVERY_SECONDS", (0, 0, 0))
    failing = Failing()
    good = OrderCreated(order_id=2, user_id=1, total_cents=2)

    with beside(partial(messaging.consume, url, failing)):
        assert [failing.next() for _ in range(4)] == [announced] * 4
        publisher.publish(good)
        assert failing.next() == good
    assert len(dead_letters(broker)) == 1
"""

DEAD_LETTERS = {
    "rabbitmq": """
import time

from .support.rabbitmq import management


def dead_letters(broker):
    path = f"queues/{broker.database}/order-confirmation.dead-letter/get"
    wanted = {"count": 2, "ackmode": "ack_requeue_false", "encoding": "auto"}
    deadline = time.monotonic() + 5
    with management(broker) as api:
        while not (found := api.post(path, json=wanted).raise_for_status().json()):
            assert time.monotonic() < deadline
    return found
""",
    "kafka": """
from .support.kafka import Topic


def dead_letters(broker):
    return Topic(broker, f"{broker.database}.order-confirmation.dead-letter").consume(1)
""",
}


@pytest.mark.parametrize(("access", "broker"), STACKS)
def test_an_event_that_failed_is_tried_again_after_a_pause_and_then_put_aside(
    make_repository: MakeRepository, access: str, broker: str
) -> None:
    repository = make_repository(database_access=access, broker=broker, cache="none")
    failures = FAILURES_ASYNC if access == "async" else FAILURES_SYNC
    test = repository.add_test("failures", failures + DEAD_LETTERS[broker])
    result = repository.pytest(test)
    assert result.code == 0, result.output


REMOVED_MEANWHILE = """\
from .support.kafka import Topic, _delete_topics, administration


def test_what_another_process_has_just_removed_is_no_error(broker):
    topic = Topic(broker, f"{broker.database}.left")
    topic.create()

    def is_unwanted(name):
        if name != topic.name:
            return False
        with administration(broker) as other:
            other.delete_topics([name])[name].result()
        return True

    _delete_topics(broker, is_unwanted)
"""


def test_processes_that_start_at_once_may_remove_the_same_topics(
    make_repository: MakeRepository,
) -> None:
    repository = make_repository(
        database_access="sync", broker="kafka", cache="none", starter=False
    )
    test = repository.add_test("removed_meanwhile", REMOVED_MEANWHILE)
    result = repository.pytest(test)
    assert result.code == 0, result.output
