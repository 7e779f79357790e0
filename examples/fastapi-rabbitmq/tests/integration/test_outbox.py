"""Events wait until the broker has them. Yours: change it with the application.

Whoever relays them has a connection of its own, so these tests commit for real.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from shop.events import OrderCreated
from shop.messaging import Publisher
from shop.models import OutboxEvent
from shop.outbox import relay, store

from .factories import ProductFactory
from .support.endpoints import Endpoint

pytestmark = [pytest.mark.anyio, pytest.mark.commits]

DEADLINE = 10  # seconds


@pytest.fixture
def url(broker: Endpoint) -> str:
    """Where events are published."""
    return broker.url("amqp")


async def store_events(session: AsyncSession, *order_ids: int) -> None:
    for order_id in order_ids:
        store(session, OrderCreated(order_id=order_id, user_id=1, total_cents=1))
        await session.flush()  # or their order would be left to SQLAlchemy
    await session.commit()


async def stored_events(session: AsyncSession) -> list[int]:
    """The orders whose events wait."""
    rows = await session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
    return [row.event["order_id"] for row in rows]


async def test_an_announced_order_leaves_no_event(
    client: AsyncClient, db_session: AsyncSession, as_buyer: dict[str, str]
) -> None:
    tea = await ProductFactory.acreate()
    await db_session.commit()

    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    await client.post("/orders", json=order, headers=as_buyer)

    assert await stored_events(db_session) == []


async def test_an_event_is_first_left_to_the_request_that_stored_it(
    db_session: AsyncSession, url: str
) -> None:
    await store_events(db_session, 1)
    publisher = Publisher(url)

    await relay(db_session, publisher, min_age=timedelta(hours=1))
    await publisher.close()

    assert await stored_events(db_session) == [1]


async def test_two_relays_at_once_publish_each_event_once(
    db_session: AsyncSession,
    session_factory: async_sessionmaker[AsyncSession],
    url: str,
) -> None:
    await store_events(db_session, 1, 2)
    published = []
    both = asyncio.Barrier(2)

    class Together(Publisher):
        async def publish(self, event: OrderCreated) -> None:
            async with asyncio.timeout(DEADLINE):
                await both.wait()
            await super().publish(event)
            published.append(event.order_id)

    publisher = Together(url)

    async def relay_all() -> None:
        async with session_factory() as session:
            await relay(session, publisher, min_age=timedelta())

    await asyncio.gather(relay_all(), relay_all())
    await publisher.close()

    assert sorted(published) == [1, 2]
    assert await stored_events(db_session) == []


async def test_an_order_is_placed_while_a_relay_waits_for_the_broker(
    client: AsyncClient,
    db_session: AsyncSession,
    session_factory: async_sessionmaker[AsyncSession],
    as_buyer: dict[str, str],
    url: str,
) -> None:
    tea = await ProductFactory.acreate()
    await db_session.commit()
    await store_events(db_session, 0)
    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    statuses = []

    class Slow(Publisher):
        async def publish(self, event: OrderCreated) -> None:
            answer = await client.post("/orders", json=order, headers=as_buyer)
            statuses.append(answer.status_code)
            await super().publish(event)

    publisher = Slow(url)
    async with session_factory() as session:
        await relay(session, publisher, min_age=timedelta())
    await publisher.close()

    assert statuses == [201]
    assert await stored_events(db_session) == []
