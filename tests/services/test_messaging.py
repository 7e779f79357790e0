"""The example application's events, in cases too slow for its own tests."""

from __future__ import annotations

from .conftest import MakeRepository

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
