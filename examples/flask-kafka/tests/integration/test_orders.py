"""Orders take stock, or are refused. Yours: change it with the application."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from shop.models import Product, User
from shop.security import create_access_token

from .factories import OrderFactory, ProductFactory, UserFactory
from .support.statements import assert_max_queries

UNKNOWN = 2_000_000_000  # an id that no row has


def order_of(product: Product, quantity: int = 1) -> dict[str, object]:
    return {"lines": [{"product_id": product.id, "quantity": quantity}]}


def test_an_order_takes_stock(
    client: FlaskClient, db_session: Session, as_buyer: dict[str, str]
) -> None:
    tea = ProductFactory.create(price_cents=450, stock=5)

    answer = client.post("/orders", json=order_of(tea, 2), headers=as_buyer)

    assert answer.status_code == 201
    assert answer.get_json()["total_cents"] == 900
    db_session.refresh(tea)
    assert tea.stock == 3


def test_an_order_takes_all_of_its_lines_or_none(
    client: FlaskClient, db_session: Session, as_buyer: dict[str, str]
) -> None:
    tea = ProductFactory.create(stock=5)
    cup = ProductFactory.create(stock=0)
    lines = [{"product_id": product.id, "quantity": 1} for product in (tea, cup)]

    answer = client.post("/orders", json={"lines": lines}, headers=as_buyer)

    assert answer.status_code == 409
    db_session.refresh(tea)
    assert tea.stock == 5


def test_a_product_is_listed_once(
    client: FlaskClient,
    as_buyer: dict[str, str],
) -> None:
    tea = ProductFactory.create()
    twice = {"lines": [{"product_id": tea.id, "quantity": 1}] * 2}
    answer = client.post("/orders", json=twice, headers=as_buyer)
    assert answer.status_code == 400


def test_an_unknown_product_is_not_found(
    client: FlaskClient, as_buyer: dict[str, str]
) -> None:
    order = {"lines": [{"product_id": UNKNOWN, "quantity": 1}]}
    answer = client.post("/orders", json=order, headers=as_buyer)
    assert answer.status_code == 404


@pytest.mark.parametrize("quantity", [0, -1, "many"])
def test_an_impossible_quantity_is_refused(
    client: FlaskClient, as_buyer: dict[str, str], quantity: object
) -> None:
    order = {"lines": [{"product_id": 1, "quantity": quantity}]}
    answer = client.post("/orders", json=order, headers=as_buyer)
    assert answer.status_code == 422


def test_orders_are_for_their_buyer_alone(
    client: FlaskClient, buyer: User, as_buyer: dict[str, str]
) -> None:
    own = OrderFactory.create(user=buyer)
    others = OrderFactory.create()

    listed = client.get("/orders", headers=as_buyer).get_json()

    assert [order["id"] for order in listed["items"]] == [own.id]
    found = client.get(f"/orders/{own.id}", headers=as_buyer)
    assert found.status_code == 200
    hidden = client.get(f"/orders/{others.id}", headers=as_buyer)
    assert hidden.status_code == 404


def test_a_longer_list_of_orders_takes_no_more_queries(
    client: FlaskClient, db_session: Session, buyer: User, as_buyer: dict[str, str]
) -> None:
    for _ in range(5):
        OrderFactory.create(user=buyer)
    db_session.expire_all()

    # The user, the number of orders, a page of them, and the lines of all of these.
    with assert_max_queries(4):
        listed = client.get("/orders", headers=as_buyer).get_json()

    assert [len(order["lines"]) for order in listed["items"]] == [1] * 5


# Each request needs a connection of its own, so what the test prepares has to be
# committed for real.
@pytest.mark.commits
def test_two_buyers_cannot_both_have_the_last_item(
    app: Flask, client: FlaskClient, db_session: Session
) -> None:
    tea = ProductFactory.create(stock=1)
    buyers = UserFactory.create_batch(2)
    db_session.commit()
    statuses = []

    def buy(buyer: User) -> None:
        token = create_access_token(buyer.id, app.config["SETTINGS"])
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.post("/orders", json=order_of(tea), headers=headers)
        statuses.append(answer.status_code)

    with ThreadPoolExecutor() as threads:
        list(threads.map(buy, buyers))

    assert sorted(statuses) == [201, 409]
    db_session.refresh(tea)
    assert tea.stock == 0
