"""Placing and reading orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from sqlalchemy import select

from . import outbox
from .dependencies import (
    CacheDep,
    PublisherDep,
    SessionDep,
)
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


@dataclass(frozen=True)
class OrderService:
    """FastAPI fills the fields; elsewhere they are ordinary arguments."""

    session: SessionDep
    cache: CacheDep
    publisher: PublisherDep

    async def place_order(
        self,
        user_id: int,
        lines: Iterable[NewOrderLine],
    ) -> OrderOut:
        """Take the stock and store the order, both or neither."""
        order = Order(user_id=user_id)
        for line in in_locking_order(lines):
            order.lines.append(await self._take_from_stock(line))
        self.session.add(order)
        await self.session.flush()  # which gives the order its id
        event = OrderCreated(
            order_id=order.id, user_id=user_id, total_cents=order.total_cents
        )
        announcement = outbox.store(self.session, event)
        await self.session.commit()
        placed = OrderOut.model_validate(order)
        await self.cache.set(placed.id, placed)
        await outbox.publish(self.session, self.publisher, announcement)
        return placed

    async def find_order(self, user_id: int, order_id: int) -> OrderOut:
        """An order of this user; raises NotFoundError."""
        order = await self._read_order(order_id)
        # Someone else's order answers like a missing one, so that ids reveal nothing.
        if order is None or order.user_id != user_id:
            raise NotFoundError(f"Order {order_id} does not exist.")
        return order

    async def list_orders(self, user_id: int, params: PageParams) -> Page[OrderOut]:
        """The orders of this user, the newest first."""
        own = select(Order).where(Order.user_id == user_id)
        newest_first = own.order_by(Order.id.desc())
        return await paginate(self.session, newest_first, OrderOut, params)

    async def _take_from_stock(self, line: NewOrderLine) -> OrderLine:
        # Locked until the end of the transaction: no other buyer can slip between.
        product = await self.session.get(Product, line.product_id, with_for_update=True)
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

    async def _read_order(self, order_id: int) -> OrderOut | None:
        if cached := await self.cache.get(OrderOut, order_id):
            return cached
        order = await self.session.get(Order, order_id)
        if order is None:
            return None
        found = OrderOut.model_validate(order)
        # What is there by now is newer: meanwhile, the order may have been confirmed.
        await self.cache.set(order_id, found, overwrite=False)
        return found
