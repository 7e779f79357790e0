"""The HTTP API. Yours: change it with the application."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from shop.models import User

from .factories import PASSWORD, OrderFactory, ProductFactory

UNKNOWN = 2_000_000_000  # an id that no row has


def test_health_names_every_service(client: APIClient) -> None:
    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.json()["checks"] == {
        "database": "ok",
        "cache": "ok",
        "broker": "ok",
    }


def test_a_new_user_can_log_in(client: APIClient) -> None:
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    created = client.post("/users", credentials)
    assert created.status_code == 201

    token = client.post("/auth/token", credentials).json()["access_token"]
    me = client.get("/users/me", headers={"Authorization": f"Bearer {token}"})

    assert me.status_code == 200
    assert me.json()["email"] == "ada@example.com"


def test_an_email_address_is_registered_once(client: APIClient, buyer: User) -> None:
    again = {"email": buyer.email, "password": PASSWORD}
    assert client.post("/users", again).status_code == 409


def test_a_wrong_password_is_refused(client: APIClient, buyer: User) -> None:
    wrong = {"email": buyer.email, "password": PASSWORD + "!"}
    answer = client.post("/auth/token", wrong)

    assert answer.status_code == 401
    assert "access_token" not in answer.json()


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer nonsense"])
def test_a_protected_endpoint_needs_a_token(client: APIClient, token: str) -> None:
    answer = client.get("/users/me", headers={"Authorization": token})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_product_is_created_read_changed_and_removed(
    client: APIClient, as_buyer: APIClient, catalogue: list[dict[str, Any]]
) -> None:
    created = as_buyer.post("/products", catalogue[0])
    assert created.status_code == 201
    path = f"/products/{created.json()['id']}"

    changed = as_buyer.patch(path, {"stock": 7})
    assert changed.json() == {**created.json(), "stock": 7}
    assert client.get(path).json() == changed.json()

    assert as_buyer.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_sku_is_taken_once(
    as_buyer: APIClient, catalogue: list[dict[str, Any]]
) -> None:
    as_buyer.post("/products", catalogue[0])
    assert as_buyer.post("/products", catalogue[0]).status_code == 409


def test_an_ordered_product_stays(as_buyer: APIClient) -> None:
    product = ProductFactory.create()
    OrderFactory.create(line__product=product)

    assert as_buyer.delete(f"/products/{product.pk}").status_code == 409


def test_only_who_is_logged_in_adds_products(
    client: APIClient, catalogue: list[dict[str, Any]]
) -> None:
    assert client.post("/products", catalogue[0]).status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [("price_cents", -1), ("stock", "many"), ("sku", ""), ("name", None)],
)
def test_a_bad_product_is_refused_with_the_reason(
    as_buyer: APIClient,
    catalogue: list[dict[str, Any]],
    field: str,
    value: object,
) -> None:
    answer = as_buyer.post("/products", {**catalogue[0], field: value})

    assert answer.status_code == 422
    assert field in answer.json()["detail"]


def test_products_come_in_pages(client: APIClient) -> None:
    products = ProductFactory.create_batch(5)

    first = client.get("/products", {"page": 1, "size": 2}).json()
    last = client.get("/products", {"page": 3, "size": 2}).json()

    assert [item["sku"] for item in first["items"]] == [p.sku for p in products[:2]]
    assert [item["sku"] for item in last["items"]] == [products[4].sku]
    assert (first["total"], first["pages"]) == (5, 3)


@pytest.mark.parametrize("params", [{"page": 0}, {"size": 0}, {"size": 1_000}])
def test_a_page_that_cannot_be_is_refused(
    client: APIClient, params: dict[str, int]
) -> None:
    assert client.get("/products", params).status_code == 422


def test_a_product_that_does_not_exist_is_not_found(client: APIClient) -> None:
    assert client.get(f"/products/{UNKNOWN}").status_code == 404


def test_who_only_reads_needs_no_valid_token(client: APIClient) -> None:
    answer = client.get("/products", headers={"Authorization": "Bearer expired"})
    assert answer.status_code == 200
