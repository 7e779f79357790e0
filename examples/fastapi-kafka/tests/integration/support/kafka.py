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
    NotLeaderForPartitionError,
    TopicAlreadyExistsError,
    for_code,
)

from .endpoints import Endpoint
from .lifecycle import Services
from .processes import Process, is_abandoned
from .proxy import Proxy
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


def probe(endpoint: Endpoint) -> str:
    """Ask at the address that the broker advertises; raises aiokafka's KafkaError.

    It gives no version: a broker does not tell its own.
    """

    async def ask() -> None:
        async with administration(endpoint) as admin:
            await admin.list_topics()

    asyncio.run(ask())
    return ""


def activity(endpoint: Endpoint) -> str:
    """The topics, and how far each group is behind."""

    async def ask() -> str:
        async with (
            administration(endpoint) as admin,
            AIOKafkaConsumer(bootstrap_servers=servers(endpoint)) as reader,
        ):
            partitions = await _own_partitions(admin, endpoint)
            begin = await reader.beginning_offsets(partitions)
            end = await reader.end_offsets(partitions)
            lines = [
                f"topic {each.topic}, partition {each.partition}:"
                f" {end[each] - begin[each]} messages, ends at offset {end[each]}"
                for each in partitions
            ]
            for group, _ in await admin.list_consumer_groups():
                if not group.startswith(endpoint.database + "."):
                    continue
                places = await admin.list_consumer_group_offsets(group)
                lines += [
                    f"group {group}: {end[each] - place.offset} behind in"
                    f" {each.topic}, partition {each.partition}"
                    for each, place in places.items()
                    if each in end
                ] or [f"group {group}: no place in any topic"]
            return "\n".join(lines)

    return asyncio.run(ask())


@pytest.fixture(scope="session")
def kafka(services: Services) -> Endpoint:
    """The Kafka broker."""
    return services.require("kafka", probe, activity)


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


class KafkaProxy(Proxy):
    """A proxy for the one broker there is.

    Clients connect again, to the address in its answers: it becomes the proxy's.
    """

    def __init__(self, broker: Endpoint) -> None:
        advertised = _written(*asyncio.run(_advertised(broker)))
        super().__init__(broker)
        own = _written(self.endpoint.host, self.endpoint.port)
        self._addresses = dict(zip(advertised, own, strict=True))

    async def read_answer(self, answers: asyncio.StreamReader) -> bytes:
        """Give the next answer as a whole, and another address in it."""
        try:
            size = int.from_bytes(await answers.readexactly(4), "big")
            answer = await answers.readexactly(size)
        except asyncio.IncompleteReadError:
            return b""
        for address, own in self._addresses.items():
            answer = answer.replace(address, own)
        return len(answer).to_bytes(4, "big") + answer


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


async def _advertised(endpoint: Endpoint) -> tuple[str, int]:
    """Where the broker tells clients to connect."""
    async with administration(endpoint) as admin:
        brokers = (await admin.describe_cluster())["brokers"]
    if len(brokers) > 1:
        pytest.fail(
            f"{endpoint} is one of {len(brokers)} brokers: `faults` can have but one.",
            pytrace=False,
        )
    return brokers[0]["host"], brokers[0]["port"]


def _written(host: str, port: int) -> tuple[bytes, bytes]:
    """An address as answers have it: those of older versions, and of newer ones."""
    length, rest = len(host), host.encode() + port.to_bytes(4, "big")
    return length.to_bytes(2, "big") + rest, (length + 1).to_bytes(1, "big") + rest


def _line(record: ConsumerRecord) -> str:
    place = f"partition {record.partition}, offset {record.offset}"
    return f"\n  {place}: key {record.key!r}, value {record.value!r}"


async def _delete_topics(kafka: Endpoint, unwanted: Callable[[str], bool]) -> None:
    async with administration(kafka) as admin:
        if topics := [name for name in await admin.list_topics() if unwanted(name)]:
            await admin.delete_topics(topics)


async def _own_partitions(
    admin: AIOKafkaAdminClient, broker: Endpoint
) -> list[TopicPartition]:
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in await admin.describe_topics()
        if topic["topic"].startswith(broker.database + ".")
        for partition in topic["partitions"]
    ]


async def _delete_messages(broker: Endpoint) -> None:
    """Empty the topics; groups that had not read all go on at the end."""
    async with administration(broker) as admin:
        partitions = await _own_partitions(admin, broker)
        to_the_end = dict.fromkeys(partitions, RecordsToDelete(-1))

        async def are_empty() -> bool:
            try:
                await admin.delete_records(to_the_end)
            except NotLeaderForPartitionError:
                # A broker tells of a new topic a moment before it leads it.
                return False
            return True

        if partitions:
            await wait_until(are_empty, what="the broker to lead its new topics")
