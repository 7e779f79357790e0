import pytest

from shop.errors import InvalidOrderError
from shop.orders import NewOrderLine, in_locking_order


def order_of(*product_ids: int) -> list[NewOrderLine]:
    return [{"product_id": id_, "quantity": 1} for id_ in product_ids]


def test_products_are_locked_in_the_same_order_whoever_buys() -> None:
    assert in_locking_order(order_of(3, 1, 2)) == order_of(1, 2, 3)


def test_a_product_is_listed_once() -> None:
    with pytest.raises(InvalidOrderError, match="Product 2 is listed twice"):
        in_locking_order(order_of(2, 1, 2))
