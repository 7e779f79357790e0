"""Messages through Kafka. Yours: change it, or delete it."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]
from aiokafka.errors import UnknownTopicOrPartitionError  # type: ignore[import-untyped]

from .support.endpoints import Endpoint
from .support.kafka import Topic, servers

pytestmark = pytest.mark.anyio


def member(topic: Topic) -> AIOKafkaConsumer:
    """A member of the test's consumer group, which commits when it is told to."""
    return AIOKafkaConsumer(
        topic.name,
        bootstrap_servers=servers(topic.broker),
        group_id=topic.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )


async def test_a_message_is_found_after_a_captured_offset(kafka_topic: Topic) -> None:
    await kafka_topic.produce(b"before")
    end = await kafka_topic.end()

    await kafka_topic.produce(b"hello", key=b"order-1")
    [message] = await kafka_topic.consume(1, since=end)

    assert (message.key, message.value) == (b"order-1", b"hello")


async def test_a_missing_message_is_told_with_those_that_came(
    kafka_topic: Topic,
) -> None:
    await kafka_topic.produce(b"only this one")

    with pytest.raises(AssertionError, match=r"but 1\n.*offset 0.*b'only this one'"):
        await kafka_topic.consume(2, timeout=0.5)


async def test_what_was_not_committed_is_delivered_again(kafka_topic: Topic) -> None:
    await kafka_topic.produce(b"done", b"not done")

    async with member(kafka_topic) as first:
        assert (await first.getone()).value == b"done"
        await first.commit()
        assert (await first.getone()).value == b"not done"  # and is gone, as in a crash

    async with member(kafka_topic) as second, asyncio.timeout(5):
        assert (await second.getone()).value == b"not done"


async def test_a_misspelt_topic_is_an_error(broker: Endpoint) -> None:
    misspelt = Topic(broker, f"{broker.database}.oders")

    with pytest.raises(UnknownTopicOrPartitionError, match="oders"):
        await misspelt.consume(1)


@pytest.mark.parametrize("visit", ["first", "second"])
async def test_every_test_finds_the_topics_empty(broker: Endpoint, visit: str) -> None:
    topic = Topic(broker, f"{broker.database}.greetings")
    await topic.create()
    await topic.produce(visit.encode())

    # From the beginning: the other visit's message would be the first.
    [message] = await topic.consume(1)
    assert message.value == visit.encode()


async def test_a_topic_made_at_the_end_of_a_test_is_emptied(broker: Endpoint) -> None:
    # The broker leads so many partitions only a moment after it has told of them.
    await Topic(broker, f"{broker.database}.late").create(partitions=50)
