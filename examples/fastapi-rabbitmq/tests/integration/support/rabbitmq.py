"""RabbitMQ: a virtual host for every test process, empty for every test.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote

import aio_pika
import httpx2
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ProbableAuthenticationError

from .endpoints import Endpoint
from .guard import NotForTests
from .lifecycle import LoginRefused, Services
from .processes import Process, is_abandoned


def probe(endpoint: Endpoint) -> str:
    """Log in to the broker and its management API.

    Raises LoginRefused, or what their clients raise.
    """

    async def log_in() -> None:
        async with await aio_pika.connect(endpoint.url("amqp"), timeout=5):
            pass

    try:
        asyncio.run(log_in())
    except ProbableAuthenticationError as error:
        raise LoginRefused(endpoint, error) from None
    with management(endpoint) as api:
        try:
            user = api.get("whoami").raise_for_status().json()
            overview = api.get("overview").raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            wrong = f"{api.base_url} is no management API: {error}"
            raise ConnectionError(wrong) from error
    if "administrator" not in user["tags"]:
        raise NotForTests(
            f'TEST_RABBITMQ_USER "{endpoint.user}" is no administrator: the tests make'
            " virtual hosts."
        )
    return str(overview["rabbitmq_version"])


def activity(endpoint: Endpoint) -> str:
    """The queues, and how many messages and consumers each of them has."""
    # Without statistics, which are seconds late.
    options = {"disable_stats": "true", "enable_queue_totals": "true"}
    with management(endpoint) as api:
        found = api.get(f"queues/{quote(endpoint.database, safe='')}", params=options)
        queues = found.raise_for_status().json()
    # An exclusive one is told of to its own connection alone.
    shared = (queue["name"] for queue in queues if not queue["exclusive"])
    consumers = _count_consumers(endpoint, shared)
    return "\n".join(
        f"queue {queue['name']}: {queue.get('messages_ready', 0)} ready,"
        f" {queue.get('messages_unacknowledged', 0)} not acknowledged,"
        f" {consumers.get(queue['name'], 'unknown')} consumers"
        for queue in queues
    )


def _count_consumers(broker: Endpoint, queues: Iterable[str]) -> dict[str, int | None]:
    async def count() -> dict[str, int | None]:
        async with await aio_pika.connect(broker.url("amqp"), timeout=5) as connection:
            channel = await connection.channel()
            declared = [await channel.declare_queue(q, passive=True) for q in queues]
            return {q.name: q.declaration_result.consumer_count for q in declared}

    return asyncio.run(count())


def management(endpoint: Endpoint) -> httpx2.Client:
    """A client of the management API; paths are relative to /api/."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return httpx2.Client(
        base_url=f"http://{host}:{endpoint.ports['management_port']}/api/",
        auth=(endpoint.user, endpoint.password),
        timeout=10,
        trust_env=False,  # a company's proxy does not know this machine's ports
    )


@pytest.fixture(scope="session")
def rabbitmq(services: Services) -> Endpoint:
    """The RabbitMQ server."""
    return services.require("rabbitmq", probe, activity)


@pytest.fixture(scope="session")
def broker(rabbitmq: Endpoint, process: Process) -> Iterator[Endpoint]:
    """A virtual host for this process alone, which ends with it."""
    with management(rabbitmq) as api:
        for vhost in api.get("vhosts?columns=name").raise_for_status().json():
            if is_abandoned(vhost["name"]):
                api.delete(f"vhosts/{vhost['name']}")
        api.put(f"vhosts/{process.name}").raise_for_status()
        api.put(
            f"permissions/{process.name}/{quote(rabbitmq.user, safe='')}",
            json={"configure": ".*", "write": ".*", "read": ".*"},
        ).raise_for_status()
        yield replace(rabbitmq, database=process.name)
        # Connections that a test forgot, queues and messages go with it.
        api.delete(f"vhosts/{process.name}").raise_for_status()


@pytest.fixture(autouse=True)
def empty_broker(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no queue or exchange in the process's virtual host that a test used."""
    if "broker" not in request.fixturenames:
        yield
        return
    broker: Endpoint = request.getfixturevalue("broker")
    yield
    with management(broker) as api:
        for kind in ("queues", "exchanges"):
            path = f"{kind}/{broker.database}"
            found = api.get(f"{path}?columns=name").raise_for_status().json()
            for name in (item["name"] for item in found):
                if name and not name.startswith("amq."):
                    api.delete(f"{path}/{quote(name, safe='')}")


@pytest.fixture
async def rabbitmq_channel(broker: Endpoint) -> AsyncIterator[AbstractChannel]:
    """A channel in the process's own virtual host, with publisher confirms."""
    async with await aio_pika.connect(broker.url("amqp")) as connection:
        yield await connection.channel()
