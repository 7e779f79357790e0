"""What happens when a service fails. Yours: change it with the application.

It has connections of its own in these tests, so they commit for real.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shop.models import OutboxEvent, Product, User

from .factories import OrderFactory, ProductFactory
from .support.faults import Faults, Server
from .support.proxy import Proxy
from .support.waiting import wait_until

pytestmark = pytest.mark.commits

MANY = 20  # more than the pool has connections
DEADLINE = 10  # seconds

waiting_events = select(func.count()).select_from(OutboxEvent)


def get(
    client: FlaskClient,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    times: int = 1,
) -> list[int]:
    """The statuses of requests that are made at once, if all are answered in time."""
    with ThreadPoolExecutor(times) as threads:
        requests = [
            threads.submit(client.get, path, headers=headers) for _ in range(times)
        ]
        return [request.result(DEADLINE).status_code for request in requests]


def order_of(product: Product) -> dict[str, object]:
    return {"lines": [{"product_id": product.id, "quantity": 1}]}


def test_while_the_database_is_down_requests_are_refused_and_then_no_more(
    client: FlaskClient, faults: Faults
) -> None:
    assert get(client, "/products", times=MANY) == [200] * MANY

    with faults.database.down():
        assert get(client, "/products", times=MANY) == [503] * MANY

    # Nobody has restarted the application, and no request has kept a connection.
    assert get(client, "/products", times=MANY) == [200] * MANY


def test_a_connection_that_was_lost_while_it_was_idle_is_replaced(
    client: FlaskClient, faults: Faults
) -> None:
    assert get(client, "/products") == [200]
    faults.database.reset()
    assert get(client, "/products") == [200]


@pytest.mark.disruptive
def test_a_restart_of_the_database_server_is_survived(
    client: FlaskClient, own_database: Server
) -> None:
    assert get(client, "/products", times=MANY) == [200] * MANY

    with own_database.stopped():
        assert get(client, "/products", times=MANY) == [503] * MANY

    assert get(client, "/products", times=MANY) == [200] * MANY


def test_an_order_is_there_once_though_its_commit_was_not_answered(
    client: FlaskClient,
    db_session: Session,
    as_buyer: dict[str, str],
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tea = ProductFactory.create(stock=5)
    db_session.commit()
    commit = Session.commit

    def commit_unheard(session: Session) -> None:
        session.flush()
        with faults.database.limit_bytes(0):
            commit(session)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "commit", commit_unheard)
        answer = client.post("/orders", json=order_of(tea), headers=as_buyer)

    # The application does not know either: who asked has to look.
    assert answer.status_code == 503
    listed = client.get("/orders", headers=as_buyer).get_json()
    assert len(listed["items"]) == 1
    db_session.refresh(tea)
    assert tea.stock == 4
    assert db_session.scalar(waiting_events) == 1


def test_an_order_that_was_not_committed_leaves_no_event(
    client: FlaskClient,
    db_session: Session,
    as_buyer: dict[str, str],
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tea = ProductFactory.create(stock=5)
    db_session.commit()
    commit = Session.commit

    def lose_the_database(session: Session) -> None:
        session.flush()
        with faults.database.down():
            commit(session)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "commit", lose_the_database)
        answer = client.post("/orders", json=order_of(tea), headers=as_buyer)

    assert answer.status_code == 503
    assert db_session.scalar(waiting_events) == 0


@pytest.mark.parametrize("fault", [Proxy.down, Proxy.blackhole])
def test_without_the_cache_orders_are_read_from_the_database(
    client: FlaskClient,
    db_session: Session,
    buyer: User,
    as_buyer: dict[str, str],
    faults: Faults,
    fault: Callable[[Proxy], AbstractContextManager[None]],
) -> None:
    order = OrderFactory.create(user=buyer)
    db_session.commit()

    with fault(faults.cache):
        path = f"/orders/{order.id}"
        assert get(client, path, headers=as_buyer) == [200]
        assert get(client, "/health") == [503]

    assert get(client, "/health") == [200]


def test_without_the_broker_orders_are_stored(
    client: FlaskClient,
    db_session: Session,
    as_buyer: dict[str, str],
    faults: Faults,
) -> None:
    tea = ProductFactory.create(stock=5)
    db_session.commit()
    assert get(client, "/health") == [200]

    with faults.broker.down():
        placed = client.post("/orders", json=order_of(tea), headers=as_buyer)
        health = client.get("/health")

    assert placed.status_code == 201
    db_session.refresh(tea)
    assert tea.stock == 4
    assert db_session.scalar(waiting_events) == 1
    assert health.status_code == 503
    assert health.get_json()["checks"]["broker"] == "error"

    def is_healthy() -> bool:
        return get(client, "/health") == [200]

    wait_until(is_healthy, what="the application to find the broker again")
