"""Placing and reading orders."""

from collections.abc import Iterable
from itertools import pairwise
from operator import attrgetter

from sqlalchemy import select

from . import outbox
from .database import db
from .dependencies import get_cache, get_publisher
from .errors import ConflictError, InvalidOrderError, NotFoundError
from .events import OrderCreated
from .models import Order, OrderLine, Product
from .pagination import Page, PageParams, paginate
from .schemas import NewOrderLine, OrderOut


def in_locking_order(lines: Iterable[NewOrderLine]) -> list[NewOrderLine]:
    """Sort by product, refusing one that is listed twice.

    Buyers who lock rows in one order cannot deadlock.
    """
    ordered = sorted(lines, key=attrgetter("product_id"))
    for line, following in pairwise(ordered):
        if line.product_id == following.product_id:
            raise InvalidOrderError(f"Product {line.product_id} is listed twice.")
    return ordered


def place_order(user_id: int, lines: Iterable[NewOrderLine]) -> OrderOut:
    """Take the stock and store the order, both or neither."""
    order = Order(user_id=user_id)
    for line in in_locking_order(lines):
        order.lines.append(_take_from_stock(line))
    db.session.add(order)
    db.session.flush()  # which gives the order its id
    event = OrderCreated(
        order_id=order.id, user_id=user_id, total_cents=order.total_cents
    )
    announcement = outbox.store(db.session(), event)
    db.session.commit()
    placed = OrderOut.model_validate(order)
    get_cache().set(placed.id, placed)
    outbox.publish(db.session(), get_publisher(), announcement)
    return placed


def find_order(user_id: int, order_id: int) -> OrderOut:
    """An order of this user; raises NotFoundError."""
    order = _read_order(order_id)
    # Someone else's order answers like a missing one, so that ids reveal nothing.
    if order is None or order.user_id != user_id:
        raise NotFoundError(f"Order {order_id} does not exist.")
    return order


def list_orders(user_id: int, params: PageParams) -> Page[OrderOut]:
    """The orders of this user, the newest first."""
    own = select(Order).where(Order.user_id == user_id)
    return paginate(own.order_by(Order.id.desc()), OrderOut, params)


def _take_from_stock(line: NewOrderLine) -> OrderLine:
    # Locked until the end of the transaction: no other buyer can slip between.
    product = db.session.get(Product, line.product_id, with_for_update=True)
    if product is None:
        raise NotFoundError(f"Product {line.product_id} does not exist.")
    if product.stock < line.quantity:
        raise ConflictError(f"There is not enough stock of product {product.id}.")
    product.stock -= line.quantity
    return OrderLine(
        product_id=product.id,
        quantity=line.quantity,
        unit_price_cents=product.price_cents,
    )


def _read_order(order_id: int) -> OrderOut | None:
    if cached := get_cache().get(OrderOut, order_id):
        return cached
    order = db.session.get(Order, order_id)
    if order is None:
        return None
    found = OrderOut.model_validate(order)
    # What is there by now is newer: meanwhile, the order may have been confirmed.
    get_cache().set(order_id, found, overwrite=False)
    return found
