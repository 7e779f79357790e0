"""Messages through RabbitMQ. Yours: change it, or delete it."""

from __future__ import annotations

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import Basic


def take(channel: BlockingChannel) -> Basic.GetOk:
    """Get a message that must be there; the broker still waits for an answer to it."""
    method, _, _ = channel.basic_get("greetings")
    assert method is not None
    return method


def test_a_published_message_is_consumed(rabbitmq_channel: BlockingChannel) -> None:
    rabbitmq_channel.queue_declare("greetings", durable=True)
    rabbitmq_channel.basic_publish("", "greetings", b"hello")

    # Publishing waited for the broker's confirmation, so the message is there.
    _, _, body = rabbitmq_channel.basic_get("greetings", auto_ack=True)

    assert body == b"hello"


def test_a_rejected_message_is_delivered_again(
    rabbitmq_channel: BlockingChannel,
) -> None:
    rabbitmq_channel.queue_declare("greetings", durable=True)
    rabbitmq_channel.basic_publish("", "greetings", b"hello")

    first = take(rabbitmq_channel)
    rabbitmq_channel.basic_nack(multiple=True)  # whatever was taken
    second = take(rabbitmq_channel)

    assert not first.redelivered
    assert second.redelivered


def test_an_acknowledged_message_is_gone(rabbitmq_channel: BlockingChannel) -> None:
    rabbitmq_channel.queue_declare("greetings", durable=True)
    rabbitmq_channel.basic_publish("", "greetings", b"hello")
    take(rabbitmq_channel)
    rabbitmq_channel.basic_ack(multiple=True)  # whatever was taken

    # What was taken and not acknowledged would come back.
    rabbitmq_channel.basic_recover(requeue=True)
    assert rabbitmq_channel.basic_get("greetings") == (None, None, None)


@pytest.mark.parametrize("visit", ["first", "second"])
def test_every_test_finds_the_virtual_host_empty(
    rabbitmq_channel: BlockingChannel, visit: str
) -> None:
    declared = rabbitmq_channel.queue_declare("greetings", durable=True)
    assert declared.method.message_count == 0
    rabbitmq_channel.basic_publish("", "greetings", visit.encode())
