from secrets import token_urlsafe

import pytest
from rest_framework.exceptions import ValidationError

from shop.serializers import (
    MAX_ID,
    MAX_INTEGER,
    NewOrderLineSerializer,
    NewOrderSerializer,
    NewProductSerializer,
    NewUserSerializer,
    ProductChangesSerializer,
    valid_id,
)

PASSWORD = token_urlsafe()


def test_email_is_normalised() -> None:
    user = NewUserSerializer(data={"email": " Ada@Example.COM ", "password": PASSWORD})

    assert user.is_valid()
    assert user.validated_data["email"] == "ada@example.com"


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@home", "a b@example.com"])
def test_email_must_look_like_one(email: str) -> None:
    user = NewUserSerializer(data={"email": email, "password": PASSWORD})

    assert not user.is_valid()
    assert set(user.errors) == {"email"}


def test_sku_is_upper_case() -> None:
    product = NewProductSerializer(
        data={"sku": "tea-1", "name": "Tea", "price_cents": 250}
    )

    assert product.is_valid()
    assert product.validated_data["sku"] == "TEA-1"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "  "},
        {"name": "nul\x00"},
        {"price_cents": -1},
        {"price_cents": MAX_INTEGER + 1},
        {"stock": -1},
        {"sku": "NEW-1"},
    ],
)
def test_refuses_product_changes(change: dict[str, object]) -> None:
    assert not ProductChangesSerializer(data=change, partial=True).is_valid()


def test_null_changes_nothing() -> None:
    changes = ProductChangesSerializer(data={"name": None, "stock": 7}, partial=True)

    assert changes.is_valid()
    assert changes.validated_data == {"stock": 7}


@pytest.mark.parametrize("quantity", [0, -1, MAX_INTEGER + 1])
def test_refuses_quantities_that_cannot_be_taken(quantity: int) -> None:
    line = {"product_id": 1, "quantity": quantity}

    assert not NewOrderLineSerializer(data=line).is_valid()


def test_an_id_is_what_its_column_holds() -> None:
    assert valid_id("order_id", str(MAX_ID)) == MAX_ID
    assert NewOrderLineSerializer(data={"product_id": MAX_ID, "quantity": 1}).is_valid()


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "one", str(MAX_ID + 1)])
def test_refuses_what_is_no_id(value: str) -> None:
    with pytest.raises(ValidationError):
        valid_id("order_id", value)


def test_order_needs_a_line() -> None:
    assert not NewOrderSerializer(data={"lines": []}).is_valid()
