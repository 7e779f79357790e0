"""Orders are read through the cache. Yours: change it with the application."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from redis.asyncio import Redis
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from shop.cache import Cache
from shop.consumer import remember_order
from shop.models import Order, User
from shop.schemas import OrderOut

from .factories import OrderFactory

pytestmark = pytest.mark.anyio


async def test_the_first_read_fills_the_cache(
    client: AsyncClient, cache_client: Redis, buyer: User, as_buyer: dict[str, str]
) -> None:
    order = await OrderFactory.acreate(user=buyer)
    assert await cache_client.dbsize() == 0

    await client.get(f"/orders/{order.id}", headers=as_buyer)

    (key,) = await cache_client.keys()
    assert 0 < await cache_client.ttl(key) <= 300  # seconds


async def test_the_second_read_does_not_ask_the_database(
    client: AsyncClient,
    db_session: AsyncSession,
    buyer: User,
    as_buyer: dict[str, str],
) -> None:
    order = await OrderFactory.acreate(user=buyer)
    first = await client.get(f"/orders/{order.id}", headers=as_buyer)
    await db_session.execute(update(Order).values(status="confirmed"))

    second = await client.get(f"/orders/{order.id}", headers=as_buyer)

    assert second.json() == first.json()
    assert second.json()["status"] == "pending"


async def test_an_expired_order_is_read_again(
    client: AsyncClient,
    db_session: AsyncSession,
    cache_client: Redis,
    buyer: User,
    as_buyer: dict[str, str],
) -> None:
    order = await OrderFactory.acreate(user=buyer)
    await client.get(f"/orders/{order.id}", headers=as_buyer)
    await db_session.execute(update(Order).values(status="confirmed"))
    (key,) = await cache_client.keys()
    await cache_client.expire(key, 0)  # as if its time had come, without the wait

    found = await client.get(f"/orders/{order.id}", headers=as_buyer)

    assert found.json()["status"] == "confirmed"


async def test_a_reader_does_not_undo_what_was_remembered_meanwhile(
    client: AsyncClient,
    buyer: User,
    as_buyer: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = await OrderFactory.acreate(user=buyer)
    confirmed = OrderOut.model_validate(order).model_copy(
        update={"status": "confirmed"}
    )

    async def miss(cache: Cache, model: type[OrderOut], key: object) -> None:
        await cache.set(key, confirmed)  # as the consumer does, right after the miss

    with monkeypatch.context() as patched:
        patched.setattr(Cache, "get", miss)
        await client.get(f"/orders/{order.id}", headers=as_buyer)

    found = await client.get(f"/orders/{order.id}", headers=as_buyer)
    assert found.json()["status"] == "confirmed"


async def test_a_confirmed_order_takes_the_place_of_the_pending_one(
    app: FastAPI,
    client: AsyncClient,
    db_session: AsyncSession,
    session_factory: async_sessionmaker[AsyncSession],
    cache_client: Redis,
    buyer: User,
    as_buyer: dict[str, str],
) -> None:
    order = await OrderFactory.acreate(user=buyer)
    await client.get(f"/orders/{order.id}", headers=as_buyer)
    await db_session.execute(update(Order).values(status="confirmed"))

    await remember_order(session_factory, app.state.cache, order.id)

    assert await cache_client.dbsize() == 1
    found = await client.get(f"/orders/{order.id}", headers=as_buyer)
    assert found.json()["status"] == "confirmed"
