"""Orders are read through the cache. Yours: change it with the application."""

from __future__ import annotations

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import Redis
from rest_framework.test import APIClient

from shop import cache
from shop.consumer import remember_order
from shop.models import Order, User
from shop.serializers import OrderSerializer

from .factories import OrderFactory, ProductFactory


def test_the_first_read_fills_the_cache(
    as_buyer: APIClient, cache_client: Redis, buyer: User
) -> None:
    order = OrderFactory.create(user=buyer)
    assert cache_client.dbsize() == 0

    as_buyer.get(f"/orders/{order.pk}")

    (key,) = cache_client.keys()
    assert 0 < cache_client.ttl(key) <= 300  # seconds


def test_the_second_read_does_not_ask_the_database(
    as_buyer: APIClient, buyer: User
) -> None:
    order = OrderFactory.create(user=buyer)
    first = as_buyer.get(f"/orders/{order.pk}")
    Order.objects.update(status=Order.Status.CONFIRMED)

    second = as_buyer.get(f"/orders/{order.pk}")

    assert second.json() == first.json()
    assert second.json()["status"] == "pending"


def test_an_expired_order_is_read_again(
    as_buyer: APIClient, cache_client: Redis, buyer: User
) -> None:
    order = OrderFactory.create(user=buyer)
    as_buyer.get(f"/orders/{order.pk}")
    Order.objects.update(status=Order.Status.CONFIRMED)
    (key,) = cache_client.keys()
    cache_client.expire(key, 0)  # as if its time had come, without the wait

    found = as_buyer.get(f"/orders/{order.pk}")

    assert found.json()["status"] == "confirmed"


def test_a_new_order_is_in_the_cache_once_it_is_committed(
    as_buyer: APIClient,
    cache_client: Redis,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    tea = ProductFactory.create()
    order = {"lines": [{"product_id": tea.pk, "quantity": 1}]}

    with django_capture_on_commit_callbacks(execute=True):
        as_buyer.post("/orders", order)
        assert cache_client.dbsize() == 0

    assert cache_client.dbsize() == 1


def test_a_reader_does_not_undo_what_was_remembered_meanwhile(
    as_buyer: APIClient, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = OrderFactory.create(user=buyer)
    confirmed = {**OrderSerializer(order).data, "status": "confirmed"}

    def miss(order_id: int) -> None:
        cache.remember_order(confirmed)  # as the worker does, right after the miss

    with monkeypatch.context() as patched:
        patched.setattr(cache, "remembered_order", miss)
        as_buyer.get(f"/orders/{order.pk}")

    assert as_buyer.get(f"/orders/{order.pk}").json()["status"] == "confirmed"


def test_a_confirmed_order_takes_the_place_of_the_pending_one(
    as_buyer: APIClient, buyer: User
) -> None:
    order = OrderFactory.create(user=buyer)
    as_buyer.get(f"/orders/{order.pk}")
    Order.objects.update(status=Order.Status.CONFIRMED)

    remember_order(order.pk)

    assert as_buyer.get(f"/orders/{order.pk}").json()["status"] == "confirmed"
