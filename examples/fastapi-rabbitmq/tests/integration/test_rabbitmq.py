"""Messages through RabbitMQ. Yours: change it, or delete it."""

from __future__ import annotations

import anyio
import pytest
from aio_pika import Message
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import QueueEmpty

pytestmark = pytest.mark.anyio


async def test_a_published_message_is_consumed(
    rabbitmq_channel: AbstractChannel,
) -> None:
    queue = await rabbitmq_channel.declare_queue("greetings", durable=True)
    await rabbitmq_channel.default_exchange.publish(Message(b"hello"), queue.name)

    # Publishing waited for the broker's confirmation, so the message is there.
    message = await queue.get()

    assert message.body == b"hello"
    await message.ack()


async def test_a_rejected_message_is_delivered_again(
    rabbitmq_channel: AbstractChannel,
) -> None:
    queue = await rabbitmq_channel.declare_queue("greetings", durable=True)
    await rabbitmq_channel.default_exchange.publish(Message(b"hello"), queue.name)

    first = await queue.get()
    await first.reject(requeue=True)
    with anyio.fail_after(5):
        second = await queue.get()

    assert not first.redelivered
    assert second.redelivered
    await second.ack()


async def test_an_acknowledged_message_is_gone(
    rabbitmq_channel: AbstractChannel,
) -> None:
    queue = await rabbitmq_channel.declare_queue("greetings", durable=True)
    await rabbitmq_channel.default_exchange.publish(Message(b"hello"), queue.name)
    await (await queue.get()).ack()

    with pytest.raises(QueueEmpty):
        await queue.get()


@pytest.mark.parametrize("visit", ["first", "second"])
async def test_every_test_finds_the_virtual_host_empty(
    rabbitmq_channel: AbstractChannel, visit: str
) -> None:
    queue = await rabbitmq_channel.declare_queue("greetings", durable=True)
    assert queue.declaration_result.message_count == 0
    await rabbitmq_channel.default_exchange.publish(Message(visit.encode()), queue.name)
