"""The HTTP API. Yours: change it with the application."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from shop.database import db
from shop.models import User
from shop.security import verify_password
from shop.views import auth

from .factories import PASSWORD, OrderFactory, ProductFactory

UNKNOWN = 2_000_000_000  # an id that no row has


def test_health_names_every_service(client: FlaskClient) -> None:
    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.get_json()["checks"] == {
        "database": "ok",
        "cache": "ok",
        "broker": "ok",
    }


def test_a_new_user_can_log_in(client: FlaskClient) -> None:
    credentials = {"email": "ada@example.com", "password": PASSWORD}
    created = client.post("/users", json=credentials)
    assert created.status_code == 201

    token = client.post("/auth/token", json=credentials).get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    me = client.get("/users/me", headers=headers)

    assert me.status_code == 200
    assert me.get_json() == created.get_json()


def test_an_email_address_is_registered_once(
    client: FlaskClient,
    buyer: User,
) -> None:
    again = {"email": buyer.email, "password": PASSWORD}
    assert client.post("/users", json=again).status_code == 409


def test_a_wrong_password_is_refused(client: FlaskClient, buyer: User) -> None:
    wrong = {"email": buyer.email, "password": PASSWORD + "!"}
    answer = client.post("/auth/token", json=wrong)

    assert answer.status_code == 401
    assert "access_token" not in answer.get_json()


def test_an_unknown_address_is_refused_like_a_wrong_password(
    client: FlaskClient, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []

    def note(password: str, password_hash: str | None) -> bool:
        hashes.append(password_hash)
        return verify_password(password, password_hash)

    monkeypatch.setattr(auth, "verify_password", note)
    wrong = PASSWORD + "!"
    answers = [
        client.post("/auth/token", json={"email": email, "password": wrong})
        for email in (buyer.email, "nobody@example.com")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].get_json() == answers[1].get_json()
    # The slow work is done for both.
    assert hashes == [buyer.password_hash, None]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer nonsense"])
def test_a_protected_endpoint_needs_a_token(
    client: FlaskClient,
    token: str,
) -> None:
    answer = client.get("/users/me", headers={"Authorization": token})
    assert answer.status_code == 401


def test_a_product_is_created_read_changed_and_removed(
    client: FlaskClient, as_buyer: dict[str, str], catalogue: list[dict[str, Any]]
) -> None:
    created = client.post("/products", json=catalogue[0], headers=as_buyer)
    assert created.status_code == 201
    path = f"/products/{created.get_json()['id']}"

    changed = client.patch(path, json={"stock": 7}, headers=as_buyer)
    assert changed.get_json() == {**created.get_json(), "stock": 7}
    assert client.get(path).get_json() == changed.get_json()

    assert client.delete(path, headers=as_buyer).status_code == 204
    assert client.get(path).status_code == 404


def test_a_sku_is_taken_once(
    client: FlaskClient, as_buyer: dict[str, str], catalogue: list[dict[str, Any]]
) -> None:
    client.post("/products", json=catalogue[0], headers=as_buyer)
    again = client.post("/products", json=catalogue[0], headers=as_buyer)
    assert again.status_code == 409


def test_an_ordered_product_stays(
    client: FlaskClient,
    as_buyer: dict[str, str],
) -> None:
    product = ProductFactory.create()
    OrderFactory.create(product=product)

    answer = client.delete(f"/products/{product.id}", headers=as_buyer)
    assert answer.status_code == 409


def test_only_who_is_logged_in_adds_products(
    client: FlaskClient, catalogue: list[dict[str, Any]]
) -> None:
    assert client.post("/products", json=catalogue[0]).status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [("price_cents", -1), ("stock", "many"), ("sku", ""), ("name", None)],
)
def test_a_bad_product_is_refused_with_the_reason(
    client: FlaskClient,
    as_buyer: dict[str, str],
    catalogue: list[dict[str, Any]],
    field: str,
    value: object,
) -> None:
    bad = {**catalogue[0], field: value}
    answer = client.post("/products", json=bad, headers=as_buyer)

    assert answer.status_code == 422
    assert field in answer.get_json()["detail"]


def test_products_come_in_pages(
    client: FlaskClient,
    db_session: Session,
) -> None:
    products = ProductFactory.create_batch(5)

    first = client.get("/products", query_string={"page": 1, "size": 2}).get_json()
    last = client.get("/products", query_string={"page": 3, "size": 2}).get_json()

    assert [item["sku"] for item in first["items"]] == [p.sku for p in products[:2]]
    assert [item["sku"] for item in last["items"]] == [products[4].sku]
    assert (first["total"], first["pages"]) == (5, 3)


@pytest.mark.parametrize("params", [{"page": 0}, {"size": 0}, {"size": 1_000}])
def test_a_page_that_cannot_be_is_refused(
    client: FlaskClient, params: dict[str, int]
) -> None:
    assert client.get("/products", query_string=params).status_code == 422


def test_a_product_that_does_not_exist_is_not_found(client: FlaskClient) -> None:
    assert client.get(f"/products/{UNKNOWN}").status_code == 404


@pytest.mark.parametrize("visit", ["first", "second"])
def test_what_the_application_commits_is_undone(
    app: Flask, client: FlaskClient, visit: str
) -> None:
    with app.app_context():
        assert db.session.scalars(db.select(User)).all() == []

    credentials = {"email": "ada@example.com", "password": PASSWORD}
    assert client.post("/users", json=credentials).status_code == 201

    with app.app_context():
        (ada,) = db.session.scalars(db.select(User))
    assert ada.email == "ada@example.com"
