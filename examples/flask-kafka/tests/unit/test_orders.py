import pytest

from shop.errors import InvalidOrderError
from shop.models import Order, OrderLine
from shop.orders import in_locking_order
from shop.schemas import NewOrderLine


def order_of(*product_ids: int) -> list[NewOrderLine]:
    return [NewOrderLine(product_id=id_, quantity=1) for id_ in product_ids]


def test_products_are_locked_in_the_same_order_whoever_buys() -> None:
    assert in_locking_order(order_of(3, 1, 2)) == order_of(1, 2, 3)


def test_a_product_is_listed_once() -> None:
    with pytest.raises(InvalidOrderError, match="Product 2 is listed twice"):
        in_locking_order(order_of(2, 1, 2))


def test_total_is_what_all_lines_cost() -> None:
    order = Order(
        lines=[
            OrderLine(product_id=1, quantity=2, unit_price_cents=250),
            OrderLine(product_id=2, quantity=1, unit_price_cents=999),
        ]
    )

    assert order.total_cents == 1499
