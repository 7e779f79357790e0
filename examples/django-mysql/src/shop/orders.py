"""Placing and reading orders."""

import logging
from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from operator import itemgetter
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import F
from rest_framework.exceptions import NotFound

from . import cache
from .errors import ConflictError, InvalidOrderError
from .events import OrderCreated
from .messaging import PublishError
from .models import Order, Product, User
from .publishing import get_publisher
from .serializers import OrderSerializer

logger = logging.getLogger(__name__)


class NewOrderLine(TypedDict):
    product_id: int
    quantity: int


def in_locking_order(lines: Iterable[NewOrderLine]) -> list[NewOrderLine]:
    """Sort by product: buyers who lock rows in one order cannot deadlock."""
    ordered = sorted(lines, key=itemgetter("product_id"))
    for line, following in pairwise(ordered):
        if line["product_id"] == following["product_id"]:
            raise InvalidOrderError(f"Product {line['product_id']} is listed twice.")
    return ordered


@transaction.atomic
def place_order(user: User, lines: Iterable[NewOrderLine]) -> dict[str, Any]:
    """Take the stock and store the order, both or neither."""
    order = Order.objects.create(user=user)
    for line in in_locking_order(lines):
        order.lines.create(**line, unit_price_cents=_take_from_stock(line))
    placed = OrderSerializer(order).data
    transaction.on_commit(partial(cache.remember_order, placed))
    transaction.on_commit(partial(_announce, order))
    return placed


def find_order(user: User, order_id: int) -> dict[str, Any]:
    """An order of this user, as it travels over HTTP."""
    order = _read_order(order_id)
    # Someone else's order answers like a missing one, so that ids reveal nothing.
    if order is None or order["user_id"] != user.pk:
        raise NotFound(f"Order {order_id} does not exist.")
    return order


def _take_from_stock(line: NewOrderLine) -> int:
    """Take what is ordered, and give its price."""
    product = Product.objects.filter(pk=line["product_id"])
    # The database compares and takes in one step: no buyer can slip between.
    in_stock = product.filter(stock__gte=line["quantity"])
    taken = in_stock.update(stock=F("stock") - line["quantity"])
    price_cents = product.values_list("price_cents", flat=True).first()
    if price_cents is None:
        raise NotFound(f"Product {line['product_id']} does not exist.")
    if not taken:
        raise ConflictError(
            f"There is not enough stock of product {line['product_id']}."
        )
    return price_cents


def _read_order(order_id: int) -> dict[str, Any] | None:
    if cached := cache.remembered_order(order_id):
        return cached
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        return None
    found = OrderSerializer(order).data
    # What is there by now is newer: meanwhile, the order may have been confirmed.
    cache.remember_order(found, overwrite=False)
    return found


def _announce(order: Order) -> None:
    event = OrderCreated(
        order_id=order.pk, user_id=order.user_id, total_cents=order.total_cents
    )
    try:
        get_publisher().publish(event)
    except PublishError as error:
        # The order is stored: a silent broker must not make it look refused.
        logger.error("Order %s is stored, but not announced: %s", order.pk, error)
