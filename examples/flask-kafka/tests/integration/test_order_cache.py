"""Orders are read through the cache. Yours: change it with the application."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import update
from sqlalchemy.orm import Session

from shop.cache import Cache
from shop.consumer import remember_order
from shop.models import Order, User
from shop.schemas import OrderOut

from .factories import OrderFactory


def test_the_first_read_fills_the_cache(
    client: FlaskClient, cache_client: Redis, buyer: User, as_buyer: dict[str, str]
) -> None:
    order = OrderFactory.create(user=buyer)
    assert cache_client.dbsize() == 0

    client.get(f"/orders/{order.id}", headers=as_buyer)

    (key,) = cache_client.keys()
    assert 0 < cache_client.ttl(key) <= 300  # seconds


def test_the_second_read_does_not_ask_the_database(
    client: FlaskClient,
    db_session: Session,
    buyer: User,
    as_buyer: dict[str, str],
) -> None:
    order = OrderFactory.create(user=buyer)
    first = client.get(f"/orders/{order.id}", headers=as_buyer)
    db_session.execute(update(Order).values(status="confirmed"))

    second = client.get(f"/orders/{order.id}", headers=as_buyer)

    assert second.get_json() == first.get_json()
    assert second.get_json()["status"] == "pending"


def test_an_expired_order_is_read_again(
    client: FlaskClient,
    db_session: Session,
    cache_client: Redis,
    buyer: User,
    as_buyer: dict[str, str],
) -> None:
    order = OrderFactory.create(user=buyer)
    client.get(f"/orders/{order.id}", headers=as_buyer)
    db_session.execute(update(Order).values(status="confirmed"))
    (key,) = cache_client.keys()
    cache_client.expire(key, 0)  # as if its time had come, without the wait

    found = client.get(f"/orders/{order.id}", headers=as_buyer)

    assert found.get_json()["status"] == "confirmed"


def test_a_reader_does_not_undo_what_was_remembered_meanwhile(
    client: FlaskClient,
    buyer: User,
    as_buyer: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = OrderFactory.create(user=buyer)
    confirmed = OrderOut.model_validate(order).model_copy(
        update={"status": "confirmed"}
    )

    def miss(cache: Cache, model: type[OrderOut], key: object) -> None:
        cache.set(key, confirmed)  # as the consumer does, right after the miss

    with monkeypatch.context() as patched:
        patched.setattr(Cache, "get", miss)
        client.get(f"/orders/{order.id}", headers=as_buyer)

    found = client.get(f"/orders/{order.id}", headers=as_buyer)
    assert found.get_json()["status"] == "confirmed"


def test_a_confirmed_order_takes_the_place_of_the_pending_one(
    app: Flask,
    client: FlaskClient,
    db_session: Session,
    cache_client: Redis,
    buyer: User,
    as_buyer: dict[str, str],
) -> None:
    order = OrderFactory.create(user=buyer)
    client.get(f"/orders/{order.id}", headers=as_buyer)
    db_session.execute(update(Order).values(status="confirmed"))

    with app.app_context():
        remember_order(order.id)

    assert cache_client.dbsize() == 1
    found = client.get(f"/orders/{order.id}", headers=as_buyer)
    assert found.get_json()["status"] == "confirmed"
