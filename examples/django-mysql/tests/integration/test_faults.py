"""What happens when a service fails. Yours: change it with the application.

Its connections to the database are the test's, too, and go through the proxy.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from django.db import close_old_connections, connection
from rest_framework.test import APIClient

from shop.models import Order, Product, User

from .factories import OrderFactory, ProductFactory
from .support.faults import Faults, Server
from .support.proxy import Proxy
from .support.waiting import wait_until

pytestmark = pytest.mark.commits

MANY = 20
DEADLINE = 10  # seconds


def get(client: APIClient, path: str, *, times: int = 1) -> list[int]:
    """The statuses of requests that are made at once, if all are answered in time."""

    def request() -> int:
        try:
            return client.get(path).status_code
        finally:
            connection.close()  # which is the thread's own

    with ThreadPoolExecutor(times) as threads:
        requests = [threads.submit(request) for _ in range(times)]
        return [each.result(DEADLINE) for each in requests]


def order_of(product: Product) -> dict[str, object]:
    return {"lines": [{"product_id": product.pk, "quantity": 1}]}


def test_while_the_database_is_down_requests_are_refused_and_then_no_more(
    client: APIClient, faults: Faults
) -> None:
    assert get(client, "/products", times=MANY) == [200] * MANY

    with faults.database.down():
        assert get(client, "/products", times=MANY) == [503] * MANY

    assert get(client, "/products", times=MANY) == [200] * MANY


def test_a_connection_that_was_lost_while_it_was_idle_is_replaced(
    client: APIClient, faults: Faults
) -> None:
    assert client.get("/products").status_code == 200
    faults.database.reset()
    close_old_connections()  # as between requests, but for those of test clients
    assert client.get("/products").status_code == 200


@pytest.mark.disruptive
def test_a_restart_of_the_database_server_is_survived(
    client: APIClient, own_database: Server
) -> None:
    assert get(client, "/products", times=MANY) == [200] * MANY

    with own_database.stopped():
        assert get(client, "/products", times=MANY) == [503] * MANY

    assert get(client, "/products", times=MANY) == [200] * MANY


def test_an_order_is_there_once_though_its_commit_was_not_answered(
    as_buyer: APIClient, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    tea = ProductFactory.create(stock=5)
    commit = connection.commit

    def commit_unheard() -> None:
        with faults.database.limit_bytes(0):
            commit()

    with monkeypatch.context() as patched:
        patched.setattr(connection, "commit", commit_unheard)
        answer = as_buyer.post("/orders", order_of(tea))
    close_old_connections()

    # The application does not know either: who asked has to look.
    assert answer.status_code == 503
    assert Order.objects.count() == 1
    tea.refresh_from_db()
    assert tea.stock == 4


@pytest.mark.parametrize("fault", [Proxy.down, Proxy.blackhole])
def test_without_the_cache_orders_are_read_from_the_database(
    as_buyer: APIClient,
    buyer: User,
    faults: Faults,
    fault: Callable[[Proxy], AbstractContextManager[None]],
) -> None:
    order = OrderFactory.create(user=buyer)

    with fault(faults.cache):
        assert get(as_buyer, f"/orders/{order.pk}") == [200]
        assert get(as_buyer, "/health") == [503]

    assert get(as_buyer, "/health") == [200]


def test_without_the_broker_orders_are_stored(
    as_buyer: APIClient, faults: Faults
) -> None:
    tea = ProductFactory.create(stock=5)
    assert get(as_buyer, "/health") == [200]

    with faults.broker.down():
        placed = as_buyer.post("/orders", order_of(tea))
        health = as_buyer.get("/health")

    assert placed.status_code == 201
    tea.refresh_from_db()
    assert tea.stock == 4
    assert health.status_code == 503
    assert health.json()["checks"]["broker"] == "error"

    def is_healthy() -> bool:
        return get(as_buyer, "/health") == [200]

    wait_until(is_healthy, what="the application to find the broker again")
