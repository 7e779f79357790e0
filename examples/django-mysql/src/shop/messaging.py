"""Events over RabbitMQ; the URL is `amqp://<user>:<password>@<host>:5672/<vhost>`."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from pika import BasicProperties, BlockingConnection, DeliveryMode, URLParameters
from pika.adapters.blocking_connection import BlockingChannel
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError, ChannelClosedByBroker, UnroutableError
from pika.exchange_type import ExchangeType
from pika.spec import Basic
from pydantic import ValidationError

from .events import OrderCreated

EXCHANGE = "events"
GROUP = "order-confirmation"

TIMEOUT_SECONDS = 5
RECONNECT_SECONDS = 1
# Whoever is silent for twice as long is taken for dead, by the broker and by us.
HEARTBEAT_SECONDS = 10
# How soon a consumer sees that it is to stop.
POLL_SECONDS = 0.2
# No more than is handled at once: what goes back to the broker counts as delivered.
PREFETCH = 1
# How soon a message that failed is handed out again, each time; then it is put aside.
# Together they outlast a restart of the database.
REDELIVERY_SECONDS = (0.1, 1, 10)

BROKER_ERRORS = (AMQPError, AMQPConnectorException, OSError)

logger = logging.getLogger(__name__)
# It logs errors that it raises as well.
logging.getLogger("pika").setLevel(logging.CRITICAL)


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


def connect(url: str) -> BlockingConnection:
    parameters = URLParameters(url)
    parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.socket_timeout = TIMEOUT_SECONDS
    parameters.stack_timeout = TIMEOUT_SECONDS
    parameters.blocked_connection_timeout = TIMEOUT_SECONDS
    return BlockingConnection(parameters)


def declare(channel: BlockingChannel, group: str) -> None:
    """Publisher and consumer both call this, so neither has to start first."""
    channel.exchange_declare(EXCHANGE, ExchangeType.topic, durable=True)
    channel.queue_declare(dead_letter_queue(group), durable=True)
    channel.queue_declare(
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
    channel.queue_bind(group, EXCHANGE, OrderCreated.name)


def is_open(channel: BlockingChannel) -> bool:
    """Answer the broker's heartbeats, and tell whether it is still there."""
    # Asked once more, a connection that is closed raises none of BROKER_ERRORS.
    if channel.is_open:
        with suppress(*BROKER_ERRORS):
            channel.connection.process_data_events()
    return channel.is_open


@dataclass(frozen=True)
class Job:
    """What the thread of a publisher is to do."""

    run: Callable[[BlockingChannel], object]
    done: Future[None] = field(default_factory=Future)


class Publisher:
    """Connects for the first event, and again once a connection was lost.

    All threads may share one. It has a thread of its own, as pika's connections are for
    one thread, which has to answer heartbeats while there is nothing to publish, too.
    """

    def __init__(self, url: str) -> None:
        check(url)
        self._url = url
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()

    def publish(self, event: OrderCreated) -> None:
        """Return once the broker has stored the event; raise PublishError if not."""
        properties = BasicProperties(
            content_type="application/json",
            delivery_mode=DeliveryMode.Persistent,
            message_id=str(event.id),
            type=event.name,
        )
        body = event.model_dump_json().encode()

        def send(channel: BlockingChannel) -> None:
            # An event that no queue takes is an error, not a loss in silence.
            channel.basic_publish(
                EXCHANGE, event.name, body, properties, mandatory=True
            )

        try:
            self._do(send)
        except BROKER_ERRORS as error:
            raise PublishError(f"{event.name} {event.id}: {error!r}") from error

    def ping(self) -> None:
        """Raise unless the broker answers."""
        self._do(lambda channel: channel.exchange_declare(EXCHANGE, passive=True))

    def close(self) -> None:
        with self._starting:
            if self._thread is not None:
                self._jobs.put(None)
                self._thread.join(TIMEOUT_SECONDS)

    def _do(self, run: Callable[[BlockingChannel], object]) -> None:
        """Have the thread do it; raise what that raises, or TimeoutError."""
        job = Job(run)
        with self._starting:
            # A fork of the process has not got the thread.
            if self._thread is None or not self._thread.is_alive():
                self._jobs = SimpleQueue()
                # A daemon, as Python must not wait for it when it ends.
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._jobs.put(job)
        try:
            job.done.result(TIMEOUT_SECONDS)
        finally:
            job.done.cancel()  # or it might be done after all, later

    def _work(self) -> None:
        """Do the jobs, in one connection, until there comes None."""
        channel: BlockingChannel | None = None
        with suppress(*BROKER_ERRORS), ExitStack() as connections:
            while (job := self._next_job()) is not None:
                if not job.done.set_running_or_notify_cancel():
                    continue
                try:
                    if channel is None or not is_open(channel):
                        channel = self._open(connections)
                    try:
                        job.run(channel)
                    except (ChannelClosedByBroker, UnroutableError):
                        # Refused: what was declared is there no more.
                        channel = self._open(connections)
                        job.run(channel)
                    job.done.set_result(None)
                except Exception as error:
                    job.done.set_exception(error)

    def _open(self, connections: ExitStack) -> BlockingChannel:
        """A channel of a new connection, which replaces the one before."""
        connections.close()
        connection = connections.enter_context(connect(self._url))
        channel = connection.channel()
        channel.confirm_delivery()
        declare(channel, GROUP)
        return channel

    def _next_job(self) -> Job | None:
        try:
            return self._jobs.get(timeout=1)
        except Empty:
            return Job(is_open)


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
    check(url)
    ready, stop = ready or threading.Event(), stop or threading.Event()

    def receive(
        channel: BlockingChannel,
        method: Basic.Deliver,
        properties: BasicProperties,
        body: bytes,
    ) -> None:
        answer = _process(channel, properties, body, handler, stop)
        if stop.is_set():
            channel.stop_consuming()  # or the answer would bring the next message
        answer(method.delivery_tag)

    while not stop.is_set():
        try:
            with connect(url) as connection:
                channel = connection.channel()
                channel.basic_qos(prefetch_count=PREFETCH)
                declare(channel, group)
                channel.basic_consume(group, receive)
                ready.set()
                while channel.consumer_tags:
                    connection.process_data_events(time_limit=POLL_SECONDS)
                    if stop.is_set():
                        channel.stop_consuming()
        except BROKER_ERRORS as error:
            logger.warning("The broker does not answer: %r", error)
        stop.wait(RECONNECT_SECONDS)


def _process(
    channel: BlockingChannel,
    properties: BasicProperties,
    body: bytes,
    handler: Callable[[OrderCreated], object],
    stop: threading.Event,
) -> Callable[..., None]:
    """Give what is to be answered, with the delivery's tag."""
    try:
        event = OrderCreated.model_validate_json(body)
    except ValidationError as error:
        logger.error("Message %s cannot be read: %s", properties.message_id, error)
        return partial(channel.basic_reject, requeue=False)
    with _kept_alive(channel):
        try:
            handler(event)
        except Exception:
            logger.exception("Message %s was not handled", properties.message_id)
            failures = (properties.headers or {}).get("x-delivery-count", 0)
            pauses: dict[object, float] = dict(enumerate(REDELIVERY_SECONDS))
            stop.wait(pauses.get(failures, 0))
            # From RabbitMQ 4.3 on a `nack` is not counted, says its documentation.
            return partial(channel.basic_reject, requeue=True)
    return channel.basic_ack


@contextmanager
def _kept_alive(channel: BlockingChannel) -> Iterator[None]:
    """Let a thread answer heartbeats while this one is busy, however long."""
    free = threading.Event()

    def work() -> None:
        while not free.wait(1) and is_open(channel):
            pass

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        free.set()
        thread.join()
