"""Orders take stock, or are refused. Yours: change it with the application."""

from __future__ import annotations

import anyio
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import Product, User
from shop.security import create_access_token

from .factories import OrderFactory, ProductFactory, UserFactory
from .support.statements import assert_max_queries

pytestmark = pytest.mark.anyio

UNKNOWN = 2_000_000_000  # an id that no row has


def order_of(product: Product, quantity: int = 1) -> dict[str, object]:
    return {"lines": [{"product_id": product.id, "quantity": quantity}]}


async def test_an_order_takes_stock(
    client: AsyncClient, db_session: AsyncSession, as_buyer: dict[str, str]
) -> None:
    tea = await ProductFactory.acreate(price_cents=450, stock=5)

    answer = await client.post("/orders", json=order_of(tea, 2), headers=as_buyer)

    assert answer.status_code == 201
    assert answer.json()["total_cents"] == 900
    await db_session.refresh(tea)
    assert tea.stock == 3


async def test_an_order_takes_all_of_its_lines_or_none(
    client: AsyncClient, db_session: AsyncSession, as_buyer: dict[str, str]
) -> None:
    tea = await ProductFactory.acreate(stock=5)
    cup = await ProductFactory.acreate(stock=0)
    lines = [{"product_id": product.id, "quantity": 1} for product in (tea, cup)]

    answer = await client.post("/orders", json={"lines": lines}, headers=as_buyer)

    assert answer.status_code == 409
    await db_session.refresh(tea)
    assert tea.stock == 5


async def test_a_product_is_listed_once(
    client: AsyncClient,
    as_buyer: dict[str, str],
) -> None:
    tea = await ProductFactory.acreate()
    twice = {"lines": [{"product_id": tea.id, "quantity": 1}] * 2}
    answer = await client.post("/orders", json=twice, headers=as_buyer)
    assert answer.status_code == 400


async def test_an_unknown_product_is_not_found(
    client: AsyncClient, as_buyer: dict[str, str]
) -> None:
    order = {"lines": [{"product_id": UNKNOWN, "quantity": 1}]}
    answer = await client.post("/orders", json=order, headers=as_buyer)
    assert answer.status_code == 404


@pytest.mark.parametrize("quantity", [0, -1, "many"])
async def test_an_impossible_quantity_is_refused(
    client: AsyncClient, as_buyer: dict[str, str], quantity: object
) -> None:
    order = {"lines": [{"product_id": 1, "quantity": quantity}]}
    answer = await client.post("/orders", json=order, headers=as_buyer)
    assert answer.status_code == 422


async def test_orders_are_for_their_buyer_alone(
    client: AsyncClient, buyer: User, as_buyer: dict[str, str]
) -> None:
    own = await OrderFactory.acreate(user=buyer)
    others = await OrderFactory.acreate()

    listed = (await client.get("/orders", headers=as_buyer)).json()

    assert [order["id"] for order in listed["items"]] == [own.id]
    found = await client.get(f"/orders/{own.id}", headers=as_buyer)
    assert found.status_code == 200
    hidden = await client.get(f"/orders/{others.id}", headers=as_buyer)
    assert hidden.status_code == 404


async def test_a_longer_list_of_orders_takes_no_more_queries(
    client: AsyncClient, db_session: AsyncSession, buyer: User, as_buyer: dict[str, str]
) -> None:
    for _ in range(5):
        await OrderFactory.acreate(user=buyer)
    db_session.expire_all()

    # The user, the number of orders, a page of them, and the lines of all of these.
    with assert_max_queries(4):
        listed = (await client.get("/orders", headers=as_buyer)).json()

    assert [len(order["lines"]) for order in listed["items"]] == [1] * 5


# Each request needs a connection of its own, so what the test prepares has to be
# committed for real.
@pytest.mark.commits
async def test_two_buyers_cannot_both_have_the_last_item(
    app: FastAPI, client: AsyncClient, db_session: AsyncSession
) -> None:
    tea = await ProductFactory.acreate(stock=1)
    buyers = await UserFactory.acreate_batch(2)
    await db_session.commit()
    statuses = []

    async def buy(buyer: User) -> None:
        token = create_access_token(buyer.id, app.state.settings)
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.post("/orders", json=order_of(tea), headers=headers)
        statuses.append(answer.status_code)

    async with anyio.create_task_group() as group:
        for buyer in buyers:
            group.start_soon(buy, buyer)

    assert sorted(statuses) == [201, 409]
    await db_session.refresh(tea)
    assert tea.stock == 0
