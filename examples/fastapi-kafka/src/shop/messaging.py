"""Events over Kafka; the URL is `kafka://host:port/prefix`.

Topics and groups start with the prefix, so that deployments can share a broker.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from aiokafka import (  # type: ignore[import-untyped]
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRecord,
)
from aiokafka.admin import (  # type: ignore[import-untyped]
    AIOKafkaAdminClient,
    NewTopic,
)
from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)
from pydantic import ValidationError

from .events import OrderCreated

TOPIC = "events"
GROUP = "order-confirmation"

TIMEOUT_SECONDS = 5
RECONNECT_SECONDS = 1
# How soon a message that failed is handed out again, each time; then it is put aside.
# Together they outlast a restart of the database.
REDELIVERY_SECONDS = (0.1, 1, 10)

BROKER_ERRORS = (KafkaError, OSError)

logger = logging.getLogger(__name__)

Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaProducer)


class PublishError(Exception):
    """The broker did not confirm that it has the event."""


class Address:
    """Where the broker is, and what names start with there; ValueError if nowhere."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "kafka" or not parts.netloc:
            raise ValueError("A broker's URL is like kafka://host:port/prefix")
        self.servers = parts.netloc
        self._prefix = unquote(parts.path.strip("/"))

    def name(self, *parts: str) -> str:
        return ".".join(filter(None, (self._prefix, *parts)))

    def dead_letter_topic(self, group: str) -> str:
        return self.name(group, "dead-letter")


async def declare(address: Address, group: str) -> None:
    """Publisher and consumer both call this, so neither has to start first."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=address.servers,
        request_timeout_ms=TIMEOUT_SECONDS * 1000,
    )
    names = (address.name(TOPIC), address.dead_letter_topic(group))
    # As many partitions and copies as the broker is configured to give to a topic.
    topics = [NewTopic(name, -1, -1, replica_assignments={}) for name in names]
    try:
        await admin.start()
        answer = await admin.create_topics(topics)
    finally:
        await admin.close()
    for name, code, *_ in answer.topic_errors:
        if code and (error := for_code(code)) is not TopicAlreadyExistsError:
            raise error(name)


@asynccontextmanager
async def running(client: Client) -> AsyncIterator[Client]:
    """Start a client, and stop it in the end: also one that could not start."""
    try:
        await client.start()
        yield client
    finally:
        await client.stop()


class Publisher:
    """Connects for the first event; a lost connection is opened again."""

    def __init__(self, url: str) -> None:
        self._address = Address(url)
        self._opening = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._resources = AsyncExitStack()

    async def publish(self, event: OrderCreated) -> None:
        """Return once the broker has stored the event; raise PublishError if not."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                producer = await self._open_producer()
                await producer.send_and_wait(
                    self._address.name(TOPIC),
                    event.model_dump_json().encode(),
                    # Events of one order share a partition, so they stay in order.
                    key=str(event.order_id).encode(),
                )
        except BROKER_ERRORS as error:
            raise PublishError(f"{event.name} {event.id}: {error!r}") from error

    async def ping(self) -> None:
        """Raise unless the broker answers."""
        producer = await self._open_producer()
        if not await producer.client.force_metadata_update():
            raise ConnectionError("the broker does not answer")

    async def close(self) -> None:
        await self._resources.aclose()

    async def _open_producer(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                await declare(self._address, GROUP)
                producer = _make_producer(self._address)
                await self._resources.enter_async_context(running(producer))
                self._producer = producer
            return self._producer


def _make_producer(address: Address) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=address.servers,
        enable_idempotence=True,
        request_timeout_ms=TIMEOUT_SECONDS * 1000,
    )


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
    address = Address(url)
    while True:
        try:
            await declare(address, group)
            consumer = AIOKafkaConsumer(
                address.name(TOPIC),
                bootstrap_servers=address.servers,
                group_id=address.name(group),
                auto_offset_reset="earliest",
                enable_auto_commit=False,
            )
            producer = _make_producer(address)
            async with running(consumer), running(producer):
                if ready is not None:
                    ready.set()
                async for message in consumer:
                    if not await _process(message, handler):
                        dead_letters = address.dead_letter_topic(group)
                        await producer.send_and_wait(dead_letters, message.value)
                    # Not before: who crashes above is handed the message again.
                    await consumer.commit()
        except BROKER_ERRORS as error:
            logger.warning("The broker does not answer: %r", error)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _process(
    message: ConsumerRecord,
    handler: Callable[[OrderCreated], Awaitable[object]],
) -> bool:
    """Try several times, as Kafka has no redelivery; return whether it was handled."""
    try:
        event = OrderCreated.model_validate_json(message.value)
    except ValidationError as error:
        logger.error("Message %s cannot be read: %s", message.offset, error)
        return False
    for pause in (0, *REDELIVERY_SECONDS):
        await asyncio.sleep(pause)
        try:
            await handler(event)
            return True
        except Exception:
            logger.exception("Event %s was not handled", event.id)
    return False
