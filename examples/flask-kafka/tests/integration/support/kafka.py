"""Kafka: a prefix of topics and groups for every test process, empty for every test.

Managed by Testbed: updates change this file.

Kafka has no virtual hosts. What keeps two test processes apart is the prefix of topics
and groups that `broker.database` holds: give it to your application in ../wiring.py.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import pytest
from confluent_kafka import (
    OFFSET_END,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from .endpoints import Endpoint
from .lifecycle import Services
from .processes import Process, is_abandoned
from .proxy import Proxy
from .waiting import wait_until

TIMEOUT = 5.0  # seconds, for an answer of the broker


def servers(endpoint: Endpoint) -> str:
    """The address as Kafka's clients take it: `host:port`."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"


def settings(endpoint: Endpoint) -> dict[str, str | int | float | bool]:
    """What clients need to be told: `Producer(settings(broker))`."""
    # Their threads write to the terminal, also while pytest captures output.
    return {"bootstrap.servers": servers(endpoint), "log_level": 2}


def administration(endpoint: Endpoint) -> AdminClient:
    """A client that makes and removes topics, to be closed with `with`."""
    return AdminClient(settings(endpoint))


def probe(endpoint: Endpoint) -> str:
    """Ask at the address that the broker advertises; raises a KafkaException.

    It gives no version: a broker does not tell its own.
    """
    with administration(endpoint) as admin:
        # Metadata would come from the address that we have, whatever is advertised.
        groups = admin.list_consumer_groups(request_timeout=TIMEOUT).result()
    if groups.errors:
        raise KafkaException(groups.errors[0])
    return ""


def activity(endpoint: Endpoint) -> str:
    """The topics, and how far each group is behind."""
    no_group = settings(endpoint) | {"group.id": endpoint.database}
    with administration(endpoint) as admin, Consumer(no_group) as reader:
        bounds = {
            each: reader.get_watermark_offsets(each, timeout=TIMEOUT)
            for each in _own_partitions(admin, endpoint)
        }
        lines = [
            f"topic {each.topic}, partition {each.partition}:"
            f" {end - begin} messages, ends at offset {end}"
            for each, (begin, end) in bounds.items()
        ]
        listed = admin.list_consumer_groups(request_timeout=TIMEOUT).result()
        for group in (each.group_id for each in listed.valid):
            if not group.startswith(endpoint.database + "."):
                continue
            asked = admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], request_timeout=TIMEOUT
            )
            lines += [
                f"group {group}: {bounds[place][1] - place.offset} behind in"
                f" {place.topic}, partition {place.partition}"
                for place in asked[group].result().topic_partitions
                if place in bounds
            ] or [f"group {group}: no place in any topic"]
    return "\n".join(lines)


@pytest.fixture(scope="session")
def kafka(services: Services) -> Endpoint:
    """The Kafka broker."""
    return services.require("kafka", probe, activity)


@pytest.fixture(scope="session")
def broker(kafka: Endpoint, process: Process) -> Iterator[Endpoint]:
    """The broker, with a prefix for this process alone as its `database`."""
    _delete_topics(kafka, is_abandoned)
    yield replace(kafka, database=process.name)
    own = process.name + "."
    _delete_topics(kafka, lambda topic: topic.startswith(own))


@pytest.fixture(autouse=True)
def empty_broker(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no message in the process's topics after a test that used the broker."""
    if "broker" not in request.fixturenames:
        yield
        return
    broker: Endpoint = request.getfixturevalue("broker")
    yield
    _delete_messages(broker)


class KafkaProxy(Proxy):
    """A proxy for the one broker there is.

    Clients connect again, to the address in its answers: it becomes the proxy's.
    """

    def __init__(self, broker: Endpoint) -> None:
        advertised = _written(*_advertised(broker))
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

    def create(self, partitions: int = 1) -> None:
        """Make the topic unless it is there; wait until it takes messages."""
        with administration(self.broker) as admin:
            made = admin.create_topics([NewTopic(self.name, partitions, 1)])
            try:
                made[self.name].result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

            def is_there() -> bool:
                listed = admin.list_topics(self.name, timeout=TIMEOUT)
                return not listed.topics[self.name].error

            # The broker learns of it a moment later.
            wait_until(is_there, what=f"the topic {self.name}")

    def produce(self, *values: bytes, key: bytes | None = None) -> None:
        """Send messages, and wait until the broker has stored each of them."""
        errors: list[KafkaError] = []

        def report(error: KafkaError | None, _: Message) -> None:
            if error:
                errors.append(error)

        timeout = {"message.timeout.ms": TIMEOUT * 1000}
        with Producer(settings(self.broker) | timeout) as producer:
            for value in values:
                producer.produce(self.name, value, key, on_delivery=report)
            producer.flush()
        if errors:
            raise KafkaException(errors[0])

    def end(self) -> list[TopicPartition]:
        """Where the next message will be: the offset of each partition's end."""
        with self._reader() as reader:
            _, ends = self._bounds(reader)
            return ends

    def consume(
        self,
        count: int,
        *,
        since: list[TopicPartition] | None = None,
        timeout: float = 5.0,
    ) -> list[Message]:
        """Wait for `count` messages, and give them; no group's place is moved by it.

        They are those that came after `since`, which is what `end()` gave, or all that
        are there. After `timeout` seconds it raises an AssertionError that shows what
        did arrive.
        """
        arrived: list[Message] = []
        deadline = time.monotonic() + timeout
        with self._reader() as reader:
            beginnings, _ = self._bounds(reader)
            reader.assign(since or beginnings)
            while len(arrived) < count and (left := deadline - time.monotonic()) > 0:
                for message in reader.consume(count - len(arrived), timeout=left):
                    if error := message.error():
                        raise KafkaException(error)
                    arrived.append(message)
        if len(arrived) < count:
            raise AssertionError(
                f"{count} messages in {self.name}: not within {timeout} s, but"
                f" {len(arrived)}{''.join(map(_line, arrived))}"
            )
        return arrived

    def _bounds(
        self, reader: Consumer
    ) -> tuple[list[TopicPartition], list[TopicPartition]]:
        """Where the partitions begin and end; a KafkaException if there are none."""
        topic = reader.list_topics(self.name, timeout=TIMEOUT).topics[self.name]
        if topic.error:
            raise KafkaException(topic.error)
        beginnings, ends = [], []
        for number in topic.partitions:
            partition = TopicPartition(self.name, number)
            beginning, end = reader.get_watermark_offsets(partition, timeout=TIMEOUT)
            beginnings.append(TopicPartition(self.name, number, beginning))
            ends.append(TopicPartition(self.name, number, end))
        return beginnings, ends

    def _reader(self) -> Consumer:
        """A consumer that does not join its group, which would take time."""
        group = {"group.id": self.group, "enable.auto.commit": False}
        return Consumer(settings(self.broker) | group)


@pytest.fixture
def kafka_topic(broker: Endpoint) -> Topic:
    """A new topic with one partition, for this test alone."""
    # Never a name again: Kafka deletes topics some time after it has said so.
    topic = Topic(broker, f"{broker.database}.{uuid.uuid4().hex[:8]}")
    topic.create()
    return topic


def _advertised(endpoint: Endpoint) -> tuple[str, int]:
    """Where the broker tells clients to connect."""
    with administration(endpoint) as admin:
        brokers = admin.describe_cluster(request_timeout=TIMEOUT).result().nodes
    if len(brokers) > 1:
        pytest.fail(
            f"{endpoint} is one of {len(brokers)} brokers: `faults` can have but one.",
            pytrace=False,
        )
    return brokers[0].host, brokers[0].port


def _written(host: str, port: int) -> tuple[bytes, bytes]:
    """An address as answers have it: those of older versions, and of newer ones."""
    length, rest = len(host), host.encode() + port.to_bytes(4, "big")
    return length.to_bytes(2, "big") + rest, (length + 1).to_bytes(1, "big") + rest


def _line(message: Message) -> str:
    place = f"partition {message.partition()}, offset {message.offset()}"
    return f"\n  {place}: key {message.key()!r}, value {message.value()!r}"


def _delete_topics(kafka: Endpoint, unwanted: Callable[[str], bool]) -> None:
    with administration(kafka) as admin:
        topics = [
            name for name in admin.list_topics(timeout=TIMEOUT).topics if unwanted(name)
        ]
        if topics:
            _wait_for(admin.delete_topics(topics))


def _own_partitions(admin: AdminClient, broker: Endpoint) -> list[TopicPartition]:
    """The partitions of this process's topics, each at its end."""
    return [
        TopicPartition(name, number, OFFSET_END)
        for name, topic in admin.list_topics(timeout=TIMEOUT).topics.items()
        if name.startswith(broker.database + ".")
        for number in topic.partitions
    ]


def _delete_messages(broker: Endpoint) -> None:
    """Empty the topics; groups that had not read all go on at the end."""
    with administration(broker) as admin:
        partitions = _own_partitions(admin, broker)

        def are_empty() -> bool:
            try:
                _wait_for(admin.delete_records(partitions))
            except KafkaException as error:
                # A broker tells of a new topic a moment before it leads it.
                if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
                    raise
                return False
            return True

        if partitions:
            wait_until(are_empty, what="the broker to lead its new topics")


def _wait_for(answers: Mapping[Any, Future[Any]]) -> None:
    for answer in answers.values():
        try:
            answer.result()
        except KafkaException as error:
            # Another process may be at it, too, and was faster.
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
