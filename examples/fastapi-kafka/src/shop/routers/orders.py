from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends

from ..dependencies import CurrentUser, StockFeedDep
from ..orders import OrderService
from ..pagination import Page, PageQuery
from ..schemas import Id, NewOrder, OrderOut

router = APIRouter(prefix="/orders", tags=["orders"])

Orders = Annotated[OrderService, Depends()]


@router.post("", status_code=HTTPStatus.CREATED)
async def place_order(
    new: NewOrder,
    user: CurrentUser,
    orders: Orders,
    feed: StockFeedDep,
) -> OrderOut:
    placed = await orders.place_order(user.id, new.lines)
    feed.announce(line.product_id for line in placed.lines)
    return placed


@router.get("")
async def list_orders(
    params: PageQuery,
    user: CurrentUser,
    orders: Orders,
) -> Page[OrderOut]:
    return await orders.list_orders(user.id, params)


@router.get("/{order_id}")
async def show_order(order_id: Id, user: CurrentUser, orders: Orders) -> OrderOut:
    return await orders.find_order(user.id, order_id)
