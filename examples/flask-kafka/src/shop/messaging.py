"""Events over Kafka; the URL is `kafka://host:port/prefix`.

Topics and groups start with the prefix, so that deployments can share a broker.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from urllib.parse import unquote, urlsplit

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pydantic import ValidationError

from .events import OrderCreated

TOPIC = "events"
GROUP = "order-confirmation"

TIMEOUT_SECONDS = 5
RECONNECT_SECONDS = 1
# How soon a consumer sees that it is to stop.
POLL_SECONDS = 0.2
# How soon a message that failed is handed out again, each time; then it is put aside.
# Together they outlast a restart of the database.
REDELIVERY_SECONDS = (0.1, 1, 10)

BROKER_ERRORS = (KafkaException, BufferError, OSError)

logger = logging.getLogger(__name__)


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

    def settings(self) -> dict[str, str | int | float | bool]:
        """What all clients need to be told."""
        return {
            "bootstrap.servers": self.servers,
            "socket.timeout.ms": TIMEOUT_SECONDS * 1000,
            # It would log each try to connect, many in a second.
            "log_level": 2,
        }


def declare(address: Address, group: str) -> None:
    """Publisher and consumer both call this, so neither has to start first."""
    names = (address.name(TOPIC), address.dead_letter_topic(group))
    # As many partitions and copies as the broker is configured to give to a topic.
    topics = [NewTopic(name) for name in names]
    with AdminClient(address.settings()) as admin:
        made = admin.create_topics(topics, request_timeout=TIMEOUT_SECONDS)
        for topic in made.values():
            try:
                topic.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise


def make_producer(address: Address) -> Producer:
    settings = {
        "enable.idempotence": True,
        # Each message is waited for, so there is none to send it along with.
        "linger.ms": 0,
        # It is not sent later, when nobody waits for it any more.
        "message.timeout.ms": TIMEOUT_SECONDS * 1000,
    }
    return Producer(address.settings() | settings)


def send(
    producer: Producer,
    topic: str,
    value: bytes | None,
    *,
    key: bytes | None = None,
    deadline: float,
) -> None:
    """Return once the broker has stored the message, or raise one of BROKER_ERRORS."""
    stored: Future[None] = Future()

    def report(error: KafkaError | None, _: Message) -> None:
        if error:
            stored.set_exception(KafkaException(error))
        else:
            stored.set_result(None)

    def poll() -> None:
        while not stored.done() and time.monotonic() < deadline:
            producer.poll(0.01)  # it may call back for others, and they for us

    producer.produce(topic, value, key, on_delivery=report)
    # In a thread, as Ctrl-C would get lost in what a library in C calls back.
    threading.Thread(target=poll, daemon=True).start()
    stored.result(deadline - time.monotonic())


class Publisher:
    """Connects for the first event; a lost connection is opened again.

    All threads may share one, and processes that are forked before the first event.
    """

    def __init__(self, url: str) -> None:
        self._address = Address(url)
        self._opening = threading.Lock()
        self._producer: Producer | None = None

    def publish(self, event: OrderCreated) -> None:
        """Return once the broker has stored the event; raise PublishError if not."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        try:
            send(
                self._open_producer(),
                self._address.name(TOPIC),
                event.model_dump_json().encode(),
                # Events of one order share a partition, so they stay in order.
                key=str(event.order_id).encode(),
                deadline=deadline,
            )
        except BROKER_ERRORS as error:
            raise PublishError(f"{event.name} {event.id}: {error!r}") from error

    def ping(self) -> None:
        """Raise unless the broker answers."""
        self._open_producer().list_topics(timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        with self._opening:
            if self._producer is not None:
                self._producer.close()

    def _open_producer(self) -> Producer:
        if self._producer is None:
            declare(self._address, GROUP)  # not with the lock: it may take a while
            with self._opening:
                if self._producer is None:
                    self._producer = make_producer(self._address)
        return self._producer


def consume(
    url: str,
    handler: Callable[[OrderCreated], object],
    *,
    group: str = GROUP,
    ready: threading.Event | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Hand each event to the handler, until `stop`; members of a group share them.

    `ready` is set as soon as events arrive. A lost connection is opened again. When
    `stop` is set, an event that is being handled is finished, and no other begun.
    """
    ready, stop = ready or threading.Event(), stop or threading.Event()
    address = Address(url)
    settings = address.settings() | {
        "group.id": address.name(group),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        # A killed consumer is noticed after this time, and others get its events.
        "session.timeout.ms": 10_000,
        "error_cb": _warn,
    }
    while not stop.is_set():
        try:
            declare(address, group)
            with make_producer(address) as producer, Consumer(settings) as consumer:
                topics = [address.name(TOPIC)]
                consumer.subscribe(topics, on_assign=lambda *_: ready.set())
                while not stop.is_set():
                    message = consumer.poll(POLL_SECONDS)
                    if message is None:
                        continue
                    if error := message.error():
                        raise KafkaException(error)
                    if not _process(message, handler, stop):
                        if stop.is_set():
                            break  # whoever comes next is handed it again
                        dead_letters = address.dead_letter_topic(group)
                        deadline = time.monotonic() + TIMEOUT_SECONDS
                        send(producer, dead_letters, message.value(), deadline=deadline)
                    # Not before: who crashes above is handed the message again.
                    consumer.commit(message=message, asynchronous=False)
        except BROKER_ERRORS as error:
            logger.warning("The broker does not answer: %r", error)
        stop.wait(RECONNECT_SECONDS)


def _warn(error: KafkaError) -> None:
    # Of each try to connect there is one of these, too.
    if error.code() != KafkaError._TRANSPORT:
        logger.warning("The broker does not answer: %s", error)


def _process(
    message: Message,
    handler: Callable[[OrderCreated], object],
    stop: threading.Event,
) -> bool:
    """Try several times, as Kafka has no redelivery; return whether it was handled."""
    try:
        event = OrderCreated.model_validate_json(message.value() or b"")
    except ValidationError as error:
        logger.error("Message %s cannot be read: %s", message.offset(), error)
        return False
    for pause in (0, *REDELIVERY_SECONDS):
        if stop.wait(pause):
            break
        try:
            handler(event)
            return True
        except Exception:
            logger.exception("Event %s was not handled", event.id)
    return False
