"""What happens when a service fails. Yours: change it with the application.

It has connections of its own in these tests, so they commit for real.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from httpx2 import AsyncClient
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import OutboxEvent, Product, User

from .factories import OrderFactory, ProductFactory
from .support.faults import Faults, Server
from .support.proxy import Proxy
from .support.waiting import wait_until

pytestmark = [pytest.mark.anyio, pytest.mark.commits]

MANY = 20  # more than the pool has connections
DEADLINE = 10  # seconds

waiting_events = select(func.count()).select_from(OutboxEvent)


async def get(
    client: AsyncClient,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    times: int = 1,
) -> list[int]:
    """The statuses of requests that are made at once, if all are answered in time."""
    requests = [client.get(path, headers=headers) for _ in range(times)]
    async with asyncio.timeout(DEADLINE):
        return [answer.status_code for answer in await asyncio.gather(*requests)]


def order_of(product: Product) -> dict[str, object]:
    return {"lines": [{"product_id": product.id, "quantity": 1}]}


async def test_while_the_database_is_down_requests_are_refused_and_then_no_more(
    client: AsyncClient, faults: Faults
) -> None:
    assert await get(client, "/products", times=MANY) == [200] * MANY

    with faults.database.down():
        assert await get(client, "/products", times=MANY) == [503] * MANY

    # Nobody has restarted the application, and no request has kept a connection.
    assert await get(client, "/products", times=MANY) == [200] * MANY


async def test_a_connection_that_was_lost_while_it_was_idle_is_replaced(
    client: AsyncClient, faults: Faults
) -> None:
    assert await get(client, "/products") == [200]
    faults.database.reset()
    assert await get(client, "/products") == [200]


@pytest.mark.disruptive
async def test_a_restart_of_the_database_server_is_survived(
    client: AsyncClient, own_database: Server
) -> None:
    assert await get(client, "/products", times=MANY) == [200] * MANY

    with own_database.stopped():
        assert await get(client, "/products", times=MANY) == [503] * MANY

    assert await get(client, "/products", times=MANY) == [200] * MANY


async def test_an_order_is_there_once_though_its_commit_was_not_answered(
    client: AsyncClient,
    db_session: AsyncSession,
    as_buyer: dict[str, str],
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tea = await ProductFactory.acreate(stock=5)
    await db_session.commit()
    commit = AsyncSession.commit

    async def commit_unheard(session: AsyncSession) -> None:
        await session.flush()
        with faults.database.limit_bytes(0):
            await commit(session)

    with monkeypatch.context() as patched:
        patched.setattr(AsyncSession, "commit", commit_unheard)
        answer = await client.post("/orders", json=order_of(tea), headers=as_buyer)

    # The application does not know either: who asked has to look.
    assert answer.status_code == 503
    listed = (await client.get("/orders", headers=as_buyer)).json()
    assert len(listed["items"]) == 1
    await db_session.refresh(tea)
    assert tea.stock == 4
    assert await db_session.scalar(waiting_events) == 1


async def test_an_order_that_was_not_committed_leaves_no_event(
    client: AsyncClient,
    db_session: AsyncSession,
    as_buyer: dict[str, str],
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tea = await ProductFactory.acreate(stock=5)
    await db_session.commit()
    commit = AsyncSession.commit

    async def lose_the_database(session: AsyncSession) -> None:
        await session.flush()
        with faults.database.down():
            await commit(session)

    with monkeypatch.context() as patched:
        patched.setattr(AsyncSession, "commit", lose_the_database)
        answer = await client.post("/orders", json=order_of(tea), headers=as_buyer)

    assert answer.status_code == 503
    assert await db_session.scalar(waiting_events) == 0


@pytest.mark.parametrize("fault", [Proxy.down, Proxy.blackhole])
async def test_without_the_cache_orders_are_read_from_the_database(
    client: AsyncClient,
    db_session: AsyncSession,
    buyer: User,
    as_buyer: dict[str, str],
    faults: Faults,
    fault: Callable[[Proxy], AbstractContextManager[None]],
) -> None:
    order = await OrderFactory.acreate(user=buyer)
    await db_session.commit()

    with fault(faults.cache):
        path = f"/orders/{order.id}"
        assert await get(client, path, headers=as_buyer) == [200]
        assert await get(client, "/health") == [503]

    assert await get(client, "/health") == [200]


async def test_without_the_broker_orders_are_stored(
    client: AsyncClient,
    db_session: AsyncSession,
    as_buyer: dict[str, str],
    faults: Faults,
) -> None:
    tea = await ProductFactory.acreate(stock=5)
    await db_session.commit()
    assert await get(client, "/health") == [200]

    with faults.broker.down():
        placed = await client.post("/orders", json=order_of(tea), headers=as_buyer)
        health = await client.get("/health")

    assert placed.status_code == 201
    await db_session.refresh(tea)
    assert tea.stock == 4
    assert await db_session.scalar(waiting_events) == 1
    assert health.status_code == 503
    assert health.json()["checks"]["broker"] == "error"

    async def is_healthy() -> bool:
        return await get(client, "/health") == [200]

    await wait_until(is_healthy, what="the application to find the broker again")
