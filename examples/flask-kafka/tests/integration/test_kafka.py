"""Messages through Kafka. Yours: change it, or delete it."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer, KafkaException, Message

from .support.endpoints import Endpoint
from .support.kafka import Topic, settings


def member(topic: Topic) -> Consumer:
    """A member of the test's consumer group, which commits when it is told to."""
    group = {
        "group.id": topic.group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    consumer = Consumer(settings(topic.broker) | group)
    consumer.subscribe([topic.name])
    return consumer


def take(consumer: Consumer) -> Message:
    """Get the next message, which must be there."""
    message = consumer.poll(timeout=5)
    assert message is not None
    assert message.error() is None
    return message


def test_a_message_is_found_after_a_captured_offset(kafka_topic: Topic) -> None:
    kafka_topic.produce(b"before")
    end = kafka_topic.end()

    kafka_topic.produce(b"hello", key=b"order-1")
    [message] = kafka_topic.consume(1, since=end)

    assert (message.key(), message.value()) == (b"order-1", b"hello")


def test_a_missing_message_is_told_with_those_that_came(kafka_topic: Topic) -> None:
    kafka_topic.produce(b"only this one")

    with pytest.raises(AssertionError, match=r"but 1\n.*offset 0.*b'only this one'"):
        kafka_topic.consume(2, timeout=0.5)


def test_what_was_not_committed_is_delivered_again(kafka_topic: Topic) -> None:
    kafka_topic.produce(b"done", b"not done")

    with member(kafka_topic) as first:
        done = take(first)
        assert done.value() == b"done"
        first.commit(message=done, asynchronous=False)
        assert take(first).value() == b"not done"  # and is gone, as in a crash

    with member(kafka_topic) as second:
        assert take(second).value() == b"not done"


def test_a_misspelt_topic_is_an_error(broker: Endpoint) -> None:
    misspelt = Topic(broker, f"{broker.database}.oders")

    with pytest.raises(KafkaException, match="Unknown topic"):
        misspelt.consume(1)


@pytest.mark.parametrize("visit", ["first", "second"])
def test_every_test_finds_the_topics_empty(broker: Endpoint, visit: str) -> None:
    topic = Topic(broker, f"{broker.database}.greetings")
    topic.create()
    topic.produce(visit.encode())

    # From the beginning: the other visit's message would be the first.
    [message] = topic.consume(1)
    assert message.value() == visit.encode()


def test_a_topic_made_at_the_end_of_a_test_is_emptied(broker: Endpoint) -> None:
    # The broker leads so many partitions only a moment after it has told of them.
    Topic(broker, f"{broker.database}.late").create(partitions=50)
