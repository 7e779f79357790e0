"""Orders take stock, or are refused. Yours: change it with the application."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from rest_framework.test import APIClient

from shop.models import Product, User

from .factories import OrderFactory, ProductFactory, UserFactory
from .support.statements import assert_max_queries

UNKNOWN = 2_000_000_000  # an id that no row has


def order_of(product: Product, quantity: int = 1) -> dict[str, object]:
    return {"lines": [{"product_id": product.pk, "quantity": quantity}]}


def test_an_order_takes_stock(as_buyer: APIClient) -> None:
    tea = ProductFactory.create(price_cents=450, stock=5)

    answer = as_buyer.post("/orders", order_of(tea, 2))

    assert answer.status_code == 201
    assert answer.json()["total_cents"] == 900
    tea.refresh_from_db()
    assert tea.stock == 3


def test_an_order_takes_all_of_its_lines_or_none(as_buyer: APIClient) -> None:
    tea = ProductFactory.create(stock=5)
    cup = ProductFactory.create(stock=0)
    lines = [{"product_id": product.pk, "quantity": 1} for product in (tea, cup)]

    answer = as_buyer.post("/orders", {"lines": lines})

    assert answer.status_code == 409
    tea.refresh_from_db()
    assert tea.stock == 5


def test_a_product_is_listed_once(as_buyer: APIClient) -> None:
    tea = ProductFactory.create()
    twice = {"lines": [{"product_id": tea.pk, "quantity": 1}] * 2}
    assert as_buyer.post("/orders", twice).status_code == 400


def test_an_unknown_product_is_not_found(as_buyer: APIClient) -> None:
    order = {"lines": [{"product_id": UNKNOWN, "quantity": 1}]}
    assert as_buyer.post("/orders", order).status_code == 404


@pytest.mark.parametrize("quantity", [0, -1, "many"])
def test_an_impossible_quantity_is_refused(
    as_buyer: APIClient, quantity: object
) -> None:
    order = {"lines": [{"product_id": 1, "quantity": quantity}]}
    assert as_buyer.post("/orders", order).status_code == 422


def test_orders_are_for_their_buyer_alone(as_buyer: APIClient, buyer: User) -> None:
    own = OrderFactory.create(user=buyer)
    others = OrderFactory.create()

    listed = as_buyer.get("/orders").json()

    assert [order["id"] for order in listed["items"]] == [own.pk]
    assert as_buyer.get(f"/orders/{own.pk}").status_code == 200
    assert as_buyer.get(f"/orders/{others.pk}").status_code == 404


def test_a_longer_list_of_orders_takes_no_more_queries(
    as_buyer: APIClient, buyer: User
) -> None:
    OrderFactory.create_batch(5, user=buyer)

    # The user, the number of orders, a page of them, and the lines of all of these.
    with assert_max_queries(4):
        listed = as_buyer.get("/orders").json()

    assert [len(order["lines"]) for order in listed["items"]] == [1] * 5


# Each request needs a connection of its own, so what the test prepares has to be
# committed for real.
@pytest.mark.commits
def test_two_buyers_cannot_both_have_the_last_item(application: None, db: None) -> None:
    tea = ProductFactory.create(stock=1)

    def buy(buyer: User) -> int:
        client = APIClient()
        client.force_authenticate(buyer)
        try:
            return client.post("/orders", order_of(tea)).status_code
        finally:
            connection.close()  # which is the thread's own

    with ThreadPoolExecutor() as threads:
        statuses = list(threads.map(buy, UserFactory.create_batch(2)))

    assert sorted(statuses) == [201, 409]
    tea.refresh_from_db()
    assert tea.stock == 0
