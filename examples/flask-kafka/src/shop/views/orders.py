from http import HTTPStatus

from flask import Blueprint, Response

from .. import orders
from ..dependencies import read_body, read_id, read_query, require_user, respond
from ..pagination import PageParams
from ..schemas import NewOrder

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.post("")
def place_order() -> Response:
    user = require_user()
    new = read_body(NewOrder)
    return respond(orders.place_order(user.id, new.lines), HTTPStatus.CREATED)


@blueprint.get("")
def list_orders() -> Response:
    user = require_user()
    return respond(orders.list_orders(user.id, read_query(PageParams)))


@blueprint.get("/<order_id>")
def show_order(order_id: str) -> Response:
    user = require_user()
    return respond(orders.find_order(user.id, read_id("order_id", order_id)))
