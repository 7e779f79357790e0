"""Listeners learn at once of changed stock. Yours: change it with the application."""

from __future__ import annotations

import pytest
from httpx2 import AsyncClient

from shop.models import Product

from .factories import ProductFactory

pytestmark = pytest.mark.anyio


def order_of(product: Product) -> dict[str, object]:
    return {"lines": [{"product_id": product.id, "quantity": 1}]}


async def test_every_listener_learns_what_is_bought_from_then_on(
    client: AsyncClient, as_buyer: dict[str, str]
) -> None:
    tea, cup = await ProductFactory.acreate_batch(2, stock=5)

    async with client.websocket("/stock") as first:
        await client.post("/orders", json=order_of(tea), headers=as_buyer)
        async with client.websocket("/stock") as second:
            await client.post("/orders", json=order_of(cup), headers=as_buyer)

            heard = [await first.receive_json(timeout=10) for _ in range(2)]
            assert heard == [{"product_ids": [tea.id]}, {"product_ids": [cup.id]}]
            assert await second.receive_json(timeout=10) == {"product_ids": [cup.id]}


async def test_only_what_has_happened_is_told(
    client: AsyncClient, as_buyer: dict[str, str]
) -> None:
    none_left = await ProductFactory.acreate(stock=0)
    some_left = await ProductFactory.acreate(stock=1)

    async with client.websocket("/stock") as listener:
        for product in (none_left, some_left):
            await client.post("/orders", json=order_of(product), headers=as_buyer)
        path = f"/products/{none_left.id}"
        await client.patch(path, json={"name": "Cup"}, headers=as_buyer)
        await client.patch(path, json={"stock": 7}, headers=as_buyer)

        told = [await listener.receive_json(timeout=10) for _ in range(2)]

    assert told == [{"product_ids": [some_left.id]}, {"product_ids": [none_left.id]}]


async def test_a_listener_that_left_is_not_in_the_way_of_others(
    client: AsyncClient, as_buyer: dict[str, str]
) -> None:
    tea = await ProductFactory.acreate(stock=5)

    async with client.websocket("/stock") as listener:
        async with client.websocket("/stock"):
            pass
        await client.post("/orders", json=order_of(tea), headers=as_buyer)

        assert await listener.receive_json(timeout=10) == {"product_ids": [tea.id]}
