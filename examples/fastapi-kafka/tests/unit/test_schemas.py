from secrets import token_urlsafe

import pytest
from pydantic import ValidationError

from shop.schemas import (
    MAX_INTEGER,
    NewOrder,
    NewOrderLine,
    NewProduct,
    NewUser,
    ProductChanges,
)

PASSWORD = token_urlsafe()


def test_email_is_normalised() -> None:
    user = NewUser(email=" Ada@Example.COM ", password=PASSWORD)

    assert user.email == "ada@example.com"


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@home", "a b@example.com"])
def test_email_must_look_like_one(email: str) -> None:
    with pytest.raises(ValidationError):
        NewUser(email=email, password=PASSWORD)


def test_email_fits_into_its_column_in_lower_case() -> None:
    with pytest.raises(ValidationError):
        NewUser(email="İ" * 240 + "@example.com", password=PASSWORD)


def test_password_is_not_shown() -> None:
    assert PASSWORD not in repr(NewUser(email="a@example.com", password=PASSWORD))


def test_sku_is_upper_case() -> None:
    assert NewProduct(sku="tea-1", name="Tea", price_cents=250).sku == "TEA-1"


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
    with pytest.raises(ValidationError):
        ProductChanges.model_validate(change)


@pytest.mark.parametrize("quantity", [0, -1, MAX_INTEGER + 1])
def test_refuses_quantities_that_cannot_be_taken(quantity: int) -> None:
    with pytest.raises(ValidationError):
        NewOrderLine(product_id=1, quantity=quantity)


def test_order_needs_a_line() -> None:
    with pytest.raises(ValidationError):
        NewOrder(lines=[])
