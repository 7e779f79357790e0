"""Events over RabbitMQ; the URL is `amqp://<user>:<password>@<host>:5672/<vhost>`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aio_pika import Connection, DeliveryMode, ExchangeType, Message
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractIncomingMessage,
    AbstractQueue,
)
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from pydantic import ValidationError

from .events import OrderCreated

EXCHANGE = "events"
GROUP = "order-confirmation"

TIMEOUT_SECONDS = 5
RECONNECT_SECONDS = 1
# No more than is handled at once: what goes back to the broker counts as delivered.
PREFETCH = 1
# How soon a message that failed is handed out again, each time; then it is put aside.
# Together they outlast a restart of the database.
REDELIVERY_SECONDS = (0.1, 1, 10)

BROKER_ERRORS = (AMQPError, ChannelInvalidStateError, OSError)

logger = logging.getLogger(__name__)


class PublishError(Exception):
    """The broker did not confirm that it has the event."""


def dead_letter_queue(group: str) -> str:
    return f"{group}.dead-letter"


def check(url: str) -> None:
    """Raise ValueError if it names no broker, before anything is to be sent there."""
    parts = urlsplit(url)
    # What is no port raises ValueError by itself.
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname or parts.port == 0:
        # Without the URL, as it may hold a password.
        raise ValueError(
            "A broker's URL is like amqp://<user>:<password>@<host>:5672/<vhost>"
        )


async def connect(url: str) -> AbstractConnection:
    """Open a connection; one that cannot be opened is closed again.

    Else aio-pika would close it when it is collected as garbage, and there may be no
    event loop that runs then.
    """
    connection = Connection(make_url(url))
    try:
        await connection.connect(timeout=TIMEOUT_SECONDS)
    except BaseException:
        await connection.close()
        raise
    return connection


async def declare(channel: AbstractChannel, group: str) -> AbstractQueue:
    """Publisher and consumer both call this, so neither has to start first."""
    kind = ExchangeType.TOPIC
    exchange = await channel.declare_exchange(EXCHANGE, kind, durable=True)
    await channel.declare_queue(dead_letter_queue(group), durable=True)
    queue = await channel.declare_queue(
        group,
        durable=True,
        arguments={
            # Only quorum queues count deliveries.
            "x-queue-type": "quorum",
            "x-delivery-limit": len(REDELIVERY_SECONDS),
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_letter_queue(group),
        },
    )
    await queue.bind(exchange, OrderCreated.name)
    return queue


class Publisher:
    """Connects for the first event, and again once a connection was lost."""

    def __init__(self, url: str) -> None:
        check(url)
        self._url = url
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None

    async def publish(self, event: OrderCreated) -> None:
        """Return once the broker has stored the event; raise PublishError if not."""
        message = Message(
            event.model_dump_json().encode(),
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=str(event.id),
            type=event.name,
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                channel = await self._open_channel()
                exchange = await channel.get_exchange(EXCHANGE, ensure=False)
                await exchange.publish(message, event.name)
        except BROKER_ERRORS as error:
            raise PublishError(f"{event.name} {event.id}: {error!r}") from error

    async def ping(self) -> None:
        """Raise unless the broker answers."""
        channel = await self._open_channel()
        await channel.get_exchange(EXCHANGE)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _open_channel(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                await self.close()
                self._connection = await connect(self._url)
                # An event that no queue takes is an error, not a loss in silence.
                channel = await self._connection.channel(on_return_raises=True)
                await declare(channel, GROUP)
                self._channel = channel
            return self._channel


async def consume(
    url: str,
    handler: Callable[[OrderCreated], Awaitable[object]],
    *,
    group: str = GROUP,
    ready: asyncio.Event | None = None,
) -> None:
    """Hand each event to the handler, until cancelled; members of a group share them.

    `ready` is set as soon as events arrive. A lost connection is opened again.
    """
    check(url)
    while True:
        try:
            async with await connect(url) as connection:
                messages = await _subscribe(connection, group)
                if ready is not None:
                    ready.set()
                while message := await messages.get():
                    await _process(message, handler)
        except BROKER_ERRORS as error:
            logger.warning("The broker does not answer: %r", error)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _subscribe(
    connection: AbstractConnection,
    group: str,
) -> asyncio.Queue[AbstractIncomingMessage | None]:
    """What the broker delivers, and None once the channel is closed."""
    messages: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
    channel = await connection.channel()
    channel.close_callbacks.add(lambda *_: messages.put_nowait(None))
    await channel.set_qos(prefetch_count=PREFETCH)
    queue = await declare(channel, group)
    await queue.consume(messages.put)
    return messages


async def _process(
    message: AbstractIncomingMessage,
    handler: Callable[[OrderCreated], Awaitable[object]],
) -> None:
    try:
        event = OrderCreated.model_validate_json(message.body)
    except ValidationError as error:
        logger.error("Message %s cannot be read: %s", message.message_id, error)
        await message.reject()
        return
    try:
        await handler(event)
    except Exception:
        logger.exception("Message %s was not handled", message.message_id)
        failures = message.headers.get("x-delivery-count", 0)
        pauses: dict[object, float] = dict(enumerate(REDELIVERY_SECONDS))
        await asyncio.sleep(pauses.get(failures, 0))
        # From RabbitMQ 4.3 on a `nack` is not counted, says its documentation.
        await message.reject(requeue=True)
        return
    await message.ack()
