"""The HTTP API. Yours: change it with the application."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import User
from shop.routers import auth
from shop.security import verify_password

from .factories import PASSWORD, OrderFactory, ProductFactory

pytestmark = pytest.mark.anyio

UNKNOWN = 2_000_000_000  # an id that no row has


async def test_health_names_every_service(client: AsyncClient) -> None:
    answer = await client.get("/health")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {
        "database": "ok",
        "cache": "ok",
        "broker": "ok",
    }


async def test_a_new_user_can_log_in(client: AsyncClient) -> None:
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    created = await client.post("/users", json=credentials)
    assert created.status_code == 201

    token = (await client.post("/auth/token", json=credentials)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    me = await client.get("/users/me", headers=headers)

    assert me.status_code == 200
    assert me.json() == created.json()


async def test_an_email_address_is_registered_once(
    client: AsyncClient,
    buyer: User,
) -> None:
    again = {"email": buyer.email, "password": PASSWORD}
    assert (await client.post("/users", json=again)).status_code == 409


async def test_a_wrong_password_is_refused(client: AsyncClient, buyer: User) -> None:
    wrong = {"email": buyer.email, "password": PASSWORD + "!"}
    answer = await client.post("/auth/token", json=wrong)

    assert answer.status_code == 401
    assert "access_token" not in answer.json()


async def test_an_unknown_address_is_refused_like_a_wrong_password(
    client: AsyncClient, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []

    def note(password: str, password_hash: str | None) -> bool:
        hashes.append(password_hash)
        return verify_password(password, password_hash)

    monkeypatch.setattr(auth, "verify_password", note)
    wrong = PASSWORD + "!"
    answers = [
        await client.post("/auth/token", json={"email": email, "password": wrong})
        for email in (buyer.email, "nobody@example.com")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    # The slow work is done for both.
    assert hashes == [buyer.password_hash, None]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer nonsense"])
async def test_a_protected_endpoint_needs_a_token(
    client: AsyncClient,
    token: str,
) -> None:
    answer = await client.get("/users/me", headers={"Authorization": token})
    assert answer.status_code == 401


async def test_a_product_is_created_read_changed_and_removed(
    client: AsyncClient, as_buyer: dict[str, str], catalogue: list[dict[str, Any]]
) -> None:
    created = await client.post("/products", json=catalogue[0], headers=as_buyer)
    assert created.status_code == 201
    path = f"/products/{created.json()['id']}"

    changed = await client.patch(path, json={"stock": 7}, headers=as_buyer)
    assert changed.json() == {**created.json(), "stock": 7}
    assert (await client.get(path)).json() == changed.json()

    assert (await client.delete(path, headers=as_buyer)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_a_sku_is_taken_once(
    client: AsyncClient, as_buyer: dict[str, str], catalogue: list[dict[str, Any]]
) -> None:
    await client.post("/products", json=catalogue[0], headers=as_buyer)
    again = await client.post("/products", json=catalogue[0], headers=as_buyer)
    assert again.status_code == 409


async def test_an_ordered_product_stays(
    client: AsyncClient,
    as_buyer: dict[str, str],
) -> None:
    product = await ProductFactory.acreate()
    await OrderFactory.acreate(product=product)

    answer = await client.delete(f"/products/{product.id}", headers=as_buyer)
    assert answer.status_code == 409


async def test_only_who_is_logged_in_adds_products(
    client: AsyncClient, catalogue: list[dict[str, Any]]
) -> None:
    assert (await client.post("/products", json=catalogue[0])).status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [("price_cents", -1), ("stock", "many"), ("sku", ""), ("name", None)],
)
async def test_a_bad_product_is_refused_with_the_reason(
    client: AsyncClient,
    as_buyer: dict[str, str],
    catalogue: list[dict[str, Any]],
    field: str,
    value: object,
) -> None:
    bad = {**catalogue[0], field: value}
    answer = await client.post("/products", json=bad, headers=as_buyer)

    assert answer.status_code == 422
    assert field in answer.json()["detail"]


async def test_products_come_in_pages(
    client: AsyncClient,
    db_session: AsyncSession,
) -> None:
    products = await ProductFactory.acreate_batch(5)

    first = (await client.get("/products", params={"page": 1, "size": 2})).json()
    last = (await client.get("/products", params={"page": 3, "size": 2})).json()

    assert [item["sku"] for item in first["items"]] == [p.sku for p in products[:2]]
    assert [item["sku"] for item in last["items"]] == [products[4].sku]
    assert (first["total"], first["pages"]) == (5, 3)


@pytest.mark.parametrize("params", [{"page": 0}, {"size": 0}, {"size": 1_000}])
async def test_a_page_that_cannot_be_is_refused(
    client: AsyncClient, params: dict[str, int]
) -> None:
    assert (await client.get("/products", params=params)).status_code == 422


async def test_a_product_that_does_not_exist_is_not_found(client: AsyncClient) -> None:
    assert (await client.get(f"/products/{UNKNOWN}")).status_code == 404
