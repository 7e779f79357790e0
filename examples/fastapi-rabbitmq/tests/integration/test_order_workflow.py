"""An order's way through all services. Yours: change it with the application.

The consumer has connections of its own, so these tests commit for real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import field_serializer
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from shop.consumer import confirm_order, run
from shop.events import OrderCreated
from shop.messaging import Publisher, consume
from shop.models import Order

from .factories import OrderFactory, ProductFactory
from .support.endpoints import Endpoint
from .support.faults import Faults
from .support.waiting import wait_until

pytestmark = [pytest.mark.anyio, pytest.mark.commits]


@asynccontextmanager
async def beside(
    consumer: Coroutine[Any, Any, None], ready: asyncio.Event
) -> AsyncIterator[None]:
    """Run a consumer beside the test, as it would run in production."""
    task = asyncio.create_task(consumer)
    try:
        await asyncio.wait_for(ready.wait(), timeout=10)
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def consumer(app: FastAPI) -> AsyncIterator[None]:
    """The application's own consumer."""
    ready = asyncio.Event()
    async with beside(run(app.state.settings, ready=ready), ready):
        yield


async def test_an_order_is_stored_announced_and_confirmed(
    client: AsyncClient,
    db_session: AsyncSession,
    consumer: None,
    as_buyer: dict[str, str],
) -> None:
    tea = await ProductFactory.acreate(stock=5)
    await db_session.commit()
    line = {"product_id": tea.id, "quantity": 2}

    placed = await client.post("/orders", json={"lines": [line]}, headers=as_buyer)
    assert placed.status_code == 201
    assert placed.json()["status"] == "pending"

    async def is_confirmed() -> bool:
        path = f"/orders/{placed.json()['id']}"
        found = await client.get(path, headers=as_buyer)
        return bool(found.json()["status"] == "confirmed")

    await wait_until(is_confirmed, what="the consumer to confirm the order")
    await db_session.refresh(tea)
    assert tea.stock == 3


async def test_a_refused_order_is_not_announced(
    app: FastAPI,
    client: AsyncClient,
    db_session: AsyncSession,
    as_buyer: dict[str, str],
) -> None:
    none_left = await ProductFactory.acreate(stock=0)
    some_left = await ProductFactory.acreate(stock=1)
    await db_session.commit()
    heard = []

    async def note(event: OrderCreated) -> None:
        heard.append(event.order_id)

    ready = asyncio.Event()
    url = app.state.settings.broker_url
    async with beside(consume(url, note, group="audit", ready=ready), ready):
        for product in (none_left, some_left):
            order = {"lines": [{"product_id": product.id, "quantity": 1}]}
            answer = await client.post("/orders", json=order, headers=as_buyer)

        async def anything() -> bool:
            return bool(heard)

        # Events come in order: had the first been announced, it would be here too.
        await wait_until(anything, what="the announcement")

    assert heard == [answer.json()["id"]]


def logged(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    """What has these words in it, in the order in which it was logged."""
    return [record.message for record in caplog.records if words in record.message]


async def test_orders_are_announced_once_the_broker_is_back(
    app: FastAPI,
    client: AsyncClient,
    db_session: AsyncSession,
    as_buyer: dict[str, str],
    faults: Faults,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tea = await ProductFactory.acreate(stock=5)
    await db_session.commit()
    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    caplog.set_level("INFO")

    async def all_are_handled() -> bool:
        return len(logged(caplog, "confirmed: True")) == len(placed)

    ready = asyncio.Event()
    async with beside(run(app.state.settings, ready=ready), ready):
        with faults.broker.down():
            placed = [
                await client.post("/orders", json=order, headers=as_buyer)
                for _ in range(2)
            ]
        await wait_until(all_are_handled, timeout=30, what="the consumer")

    assert [answer.status_code for answer in placed] == [201, 201]
    assert logged(caplog, "confirmed: True") == [
        f"Order {answer.json()['id']} confirmed: True" for answer in placed
    ]


async def test_an_order_that_was_announced_twice_is_confirmed_once(
    app: FastAPI,
    client: AsyncClient,
    db_session: AsyncSession,
    as_buyer: dict[str, str],
    faults: Faults,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tea = await ProductFactory.acreate(stock=5)
    await db_session.commit()
    order = {"lines": [{"product_id": tea.id, "quantity": 1}]}
    caplog.set_level("INFO")

    first = await client.post("/orders", json=order, headers=as_buyer)
    with faults.broker.limit_bytes(0):  # it has the event, and cannot say so
        second = await client.post("/orders", json=order, headers=as_buyer)
    assert second.status_code == 201

    async def all_are_handled() -> bool:
        return len(logged(caplog, "confirmed: ")) == 3

    ready = asyncio.Event()
    async with beside(run(app.state.settings, ready=ready), ready):
        await wait_until(all_are_handled, timeout=30, what="the consumer")

    assert logged(caplog, "confirmed: ") == [
        f"Order {first.json()['id']} confirmed: True",
        f"Order {second.json()['id']} confirmed: True",
        f"Order {second.json()['id']} confirmed: False",
    ]


@pytest.fixture
def url(broker: Endpoint) -> str:
    """Where events are, for the application's publisher and consumers."""
    return broker.url("amqp")


@pytest.fixture
async def publisher(url: str) -> AsyncIterator[Publisher]:
    """Announces events of which no order knows."""
    publisher = Publisher(url)
    yield publisher
    await publisher.close()


@pytest.fixture
async def announced(publisher: Publisher) -> OrderCreated:
    """An event that nobody has handled yet."""
    event = OrderCreated(order_id=1, user_id=1, total_cents=1)
    await publisher.publish(event)
    return event


async def test_an_event_that_was_not_handled_is_delivered_again(
    url: str, announced: OrderCreated
) -> None:
    attempts = []

    async def fail_once(event: OrderCreated) -> None:
        attempts.append(event)
        if len(attempts) == 1:
            raise RuntimeError("the database was away")

    async def tried_twice() -> bool:
        return len(attempts) == 2

    ready = asyncio.Event()
    async with beside(consume(url, fail_once, ready=ready), ready):
        await wait_until(tried_twice, what="the second delivery")

    assert attempts == [announced, announced]


class Unreadable(OrderCreated):
    """An event as an incompatible publisher would send it."""

    @field_serializer("total_cents")
    def misunderstand(self, total_cents: int) -> str:
        return f"{total_cents} cents"


async def test_an_event_that_cannot_be_read_does_not_stop_the_next(
    url: str, publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable = Unreadable(order_id=1, user_id=1, total_cents=1)
    readable = OrderCreated(order_id=1, user_id=1, total_cents=1)
    for event in (unreadable, readable):
        await publisher.publish(event)
    handled = asyncio.Queue[OrderCreated]()

    ready = asyncio.Event()
    async with beside(consume(url, handled.put, ready=ready), ready):
        assert await asyncio.wait_for(handled.get(), timeout=10) == readable

    # Put aside, not handed out again.
    assert caplog.text.count("cannot be read") == 1


async def test_an_event_outlives_the_consumer_that_was_handling_it(
    url: str, announced: OrderCreated
) -> None:
    received = asyncio.Queue[OrderCreated]()

    async def never_end(event: OrderCreated) -> None:
        await received.put(event)
        await asyncio.Event().wait()

    # The first one is stopped while it handles the event, so the second is handed it.
    for handler in (never_end, received.put):
        ready = asyncio.Event()
        async with beside(consume(url, handler, ready=ready), ready):
            event = await asyncio.wait_for(received.get(), timeout=10)
            assert event == announced


async def test_an_order_is_confirmed_once(
    db_session: AsyncSession, session_factory: async_sessionmaker[AsyncSession]
) -> None:
    order = await OrderFactory.acreate()
    await db_session.commit()
    event = OrderCreated(order_id=order.id, user_id=order.user_id, total_cents=1)

    assert await confirm_order(session_factory, event)
    assert not await confirm_order(session_factory, event)

    confirmed = await db_session.get_one(Order, order.id, populate_existing=True)
    assert confirmed.status == "confirmed"
