"""Kafka: a prefix of topics and groups for every test process, empty for every test.

Managed by Testbed: updates change this file.

Kafka has no virtual hosts. What keeps two test processes apart is the prefix of topics
and groups that `broker.database` holds: give it to your application in ../wiring.py.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiokafka import (  # type: ignore[import-untyped]
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.admin import (  # type: ignore[import-untyped]
    AIOKafkaAdminClient,
    NewTopic,
    RecordsToDelete,
)
from aiokafka.errors import (  # type: ignore[import-untyped]
    TopicAlreadyExistsError,
    for_code,
)

from .endpoints import Endpoint
from .lifecycle import Services
from .processes import Process, is_abandoned
from .waiting import wait_until


def servers(endpoint: Endpoint) -> str:
    """The address as Kafka's clients take it: `host:port`."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"


@asynccontextmanager
async def administration(endpoint: Endpoint) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that makes and removes topics; raises aiokafka's KafkaError."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=servers(endpoint), request_timeout_ms=5000
    )
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


def probe(endpoint: Endpoint) -> None:
    """Ask at the address that the broker advertises; raises aiokafka's KafkaError."""

    async def ask() -> None:
        async with administration(endpoint) as admin:
            await admin.list_topics()

    asyncio.run(ask())


@pytest.fixture(scope="session")
def kafka(services: Services) -> Endpoint:
    """The Kafka broker."""
    return services.require("kafka", probe)


@pytest.fixture(scope="session")
def broker(kafka: Endpoint, process: Process) -> Iterator[Endpoint]:
    """The broker, with a prefix for this process alone as its `database`."""
    asyncio.run(_delete_topics(kafka, is_abandoned))
    yield replace(kafka, database=process.name)
    own = process.name + "."
    asyncio.run(_delete_topics(kafka, lambda topic: topic.startswith(own)))


@pytest.fixture(autouse=True)
def empty_broker(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no message in the process's topics after a test that used the broker."""
    if "broker" not in request.fixturenames:
        yield
        return
    broker: Endpoint = request.getfixturevalue("broker")
    yield
    asyncio.run(_delete_messages(broker))


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as a test sees it; the application's, too: `Topic(broker, name)`."""

    broker: Endpoint
    name: str

    @property
    def group(self) -> str:
        """The name of a consumer group that is as much the test's own as the topic."""
        return f"{self.name}.group"

    async def create(self, partitions: int = 1) -> None:
        """Make the topic unless it is there; wait until it takes messages."""
        async with administration(self.broker) as admin:
            made = await admin.create_topics([NewTopic(self.name, partitions, 1)])
            _, code, reason, *_ = made.topic_errors[0]
            if code and (error := for_code(code)) is not TopicAlreadyExistsError:
                raise error(reason)

            async def is_there() -> bool:
                return not (await admin.describe_topics([self.name]))[0]["error_code"]

            # The broker learns of it a moment later.
            await wait_until(is_there, what=f"the topic {self.name}")

    async def produce(self, *values: bytes, key: bytes | None = None) -> None:
        """Send messages, and wait until the broker has stored each of them."""
        async with AIOKafkaProducer(
            bootstrap_servers=servers(self.broker), request_timeout_ms=5000
        ) as producer:
            for value in values:
                await producer.send_and_wait(self.name, value, key=key)

    async def end(self) -> dict[TopicPartition, int]:
        """Where the next message will be: the offset of each partition's end."""
        async with self._reader() as (reader, partitions):
            offsets: dict[TopicPartition, int] = await reader.end_offsets(partitions)
            return offsets

    async def consume(
        self,
        count: int,
        *,
        since: Mapping[TopicPartition, int] | None = None,
        timeout: float = 5.0,
    ) -> list[ConsumerRecord]:
        """Wait for `count` messages, and give them; no group's place is moved by it.

        They are those that came after `since`, which is what `end()` gave, or all that
        are there. After `timeout` seconds it raises an AssertionError that shows what
        did arrive.
        """
        arrived: list[ConsumerRecord] = []
        deadline = time.monotonic() + timeout
        async with self._reader() as (reader, partitions):
            await reader.seek_to_beginning(*partitions)
            for partition, offset in (since or {}).items():
                reader.seek(partition, offset)
            while len(arrived) < count and (left := deadline - time.monotonic()) > 0:
                batches = await reader.getmany(timeout_ms=round(left * 1000))
                arrived += [record for batch in batches.values() for record in batch]
        if len(arrived) < count:
            raise AssertionError(
                f"{count} messages in {self.name}: not within {timeout} s, but"
                f" {len(arrived)}{''.join(map(_line, arrived))}"
            )
        return arrived[:count]

    @asynccontextmanager
    async def _reader(
        self,
    ) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
        """A consumer without a group: it need not join one, which takes time."""
        async with AIOKafkaConsumer(bootstrap_servers=servers(self.broker)) as reader:
            async with administration(self.broker) as admin:
                found = (await admin.describe_topics([self.name]))[0]
            if found["error_code"]:
                raise for_code(found["error_code"])(self.name)
            partitions = [
                TopicPartition(self.name, each["partition"])
                for each in found["partitions"]
            ]
            reader.assign(partitions)
            yield reader, partitions


@pytest.fixture
async def kafka_topic(broker: Endpoint) -> Topic:
    """A new topic with one partition, for this test alone."""
    # Never a name again: Kafka deletes topics some time after it has said so.
    topic = Topic(broker, f"{broker.database}.{uuid.uuid4().hex[:8]}")
    await topic.create()
    return topic


def _line(record: ConsumerRecord) -> str:
    place = f"partition {record.partition}, offset {record.offset}"
    return f"\n  {place}: key {record.key!r}, value {record.value!r}"


async def _delete_topics(kafka: Endpoint, unwanted: Callable[[str], bool]) -> None:
    async with administration(kafka) as admin:
        if topics := [name for name in await admin.list_topics() if unwanted(name)]:
            await admin.delete_topics(topics)


async def _delete_messages(broker: Endpoint) -> None:
    """Empty the topics; groups that had not read all go on at the end."""
    async with administration(broker) as admin:
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics()
            if topic["topic"].startswith(broker.database + ".")
            for partition in topic["partitions"]
        ]
        if partitions:
            await admin.delete_records(dict.fromkeys(partitions, RecordsToDelete(-1)))
