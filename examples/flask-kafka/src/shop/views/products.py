from http import HTTPStatus

from flask import Blueprint, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..database import db
from ..dependencies import (
    get_exchange_rates,
    read_body,
    read_id,
    read_query,
    require_user,
    respond,
)
from ..errors import ConflictError, NotFoundError
from ..models import Product
from ..pagination import PageParams, paginate
from ..schemas import NewProduct, Price, PriceQuery, ProductChanges, ProductOut

blueprint = Blueprint("products", __name__, url_prefix="/products")


def find(product_id: str, *, lock: bool = False) -> Product:
    id_ = read_id("product_id", product_id)
    product = db.session.get(Product, id_, with_for_update=lock)
    if product is None:
        raise NotFoundError(f"Product {id_} does not exist.")
    return product


@blueprint.get("")
def list_products() -> Response:
    products = select(Product).order_by(Product.id)
    return respond(paginate(products, ProductOut, read_query(PageParams)))


@blueprint.get("/<product_id>")
def show_product(product_id: str) -> Response:
    return respond(ProductOut.model_validate(find(product_id)))


@blueprint.get("/<product_id>/price")
def show_price(product_id: str) -> Response:
    currency = read_query(PriceQuery).currency
    product = find(product_id)
    # Others may have the connection while this request waits.
    db.session.close()
    rate = get_exchange_rates().find(currency)
    if rate is None:
        raise NotFoundError(f"There is no exchange rate of {currency}.")
    price_cents = round(product.price_cents * rate)
    return respond(Price(currency=currency, price_cents=price_cents))


@blueprint.post("")
def add_product() -> Response:
    require_user()
    new = read_body(NewProduct)
    product = Product(**new.model_dump())
    db.session.add(product)
    try:
        db.session.commit()
    except IntegrityError as error:
        raise ConflictError(f"The SKU {new.sku} is already taken.") from error
    return respond(ProductOut.model_validate(product), HTTPStatus.CREATED)


@blueprint.patch("/<product_id>")
def change_product(product_id: str) -> Response:
    require_user()
    changes = read_body(ProductChanges)
    product = find(product_id, lock=True)
    for field, value in changes.model_dump(exclude_none=True).items():
        setattr(product, field, value)
    db.session.commit()
    return respond(ProductOut.model_validate(product))


@blueprint.delete("/<product_id>")
def remove_product(product_id: str) -> tuple[str, HTTPStatus]:
    require_user()
    product = find(product_id, lock=True)
    db.session.delete(product)
    try:
        db.session.commit()
    except IntegrityError as error:
        raise ConflictError(
            f"Product {product_id} was ordered and cannot be removed."
        ) from error
    return "", HTTPStatus.NO_CONTENT
