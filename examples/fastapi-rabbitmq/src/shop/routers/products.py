from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ..dependencies import CurrentUser, ExchangeRatesDep, SessionDep, StockFeedDep
from ..errors import ConflictError, NotFoundError
from ..models import Product
from ..pagination import Page, PageQuery, paginate
from ..schemas import Id, NewProduct, Price, PriceQuery, ProductChanges, ProductOut

router = APIRouter(prefix="/products", tags=["products"])


def not_found(product_id: int) -> NotFoundError:
    return NotFoundError(f"Product {product_id} does not exist.")


@router.get("")
async def list_products(session: SessionDep, params: PageQuery) -> Page[ProductOut]:
    return await paginate(
        session,
        select(Product).order_by(Product.id),
        ProductOut,
        params,
    )


@router.get("/{product_id}")
async def show_product(product_id: Id, session: SessionDep) -> ProductOut:
    product = await session.get(Product, product_id)
    if product is None:
        raise not_found(product_id)
    return ProductOut.model_validate(product)


@router.get("/{product_id}/price")
async def show_price(
    product_id: Id,
    query: Annotated[PriceQuery, Query()],
    rates: ExchangeRatesDep,
    session: SessionDep,
) -> Price:
    product = await session.get(Product, product_id)
    if product is None:
        raise not_found(product_id)
    # Others may have the connection while this request waits.
    await session.close()
    rate = await rates.find(query.currency)
    if rate is None:
        raise NotFoundError(f"There is no exchange rate of {query.currency}.")
    price_cents = round(product.price_cents * rate)
    return Price(currency=query.currency, price_cents=price_cents)


@router.post("", status_code=HTTPStatus.CREATED)
async def add_product(
    new: NewProduct,
    session: SessionDep,
    _: CurrentUser,
) -> ProductOut:
    product = Product(**new.model_dump())
    session.add(product)
    try:
        await session.commit()
    except IntegrityError as error:
        raise ConflictError(f"The SKU {new.sku} is already taken.") from error
    return ProductOut.model_validate(product)


@router.patch("/{product_id}")
async def change_product(
    product_id: Id,
    changes: ProductChanges,
    session: SessionDep,
    feed: StockFeedDep,
    _: CurrentUser,
) -> ProductOut:
    product = await session.get(Product, product_id, with_for_update=True)
    if product is None:
        raise not_found(product_id)
    for field, value in changes.model_dump(exclude_none=True).items():
        setattr(product, field, value)
    await session.commit()
    if changes.stock is not None:
        feed.announce([product_id])
    return ProductOut.model_validate(product)


@router.delete("/{product_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_product(product_id: Id, session: SessionDep, _: CurrentUser) -> None:
    product = await session.get(Product, product_id, with_for_update=True)
    if product is None:
        raise not_found(product_id)
    await session.delete(product)
    try:
        await session.commit()
    except IntegrityError as error:
        raise ConflictError(
            f"Product {product_id} was ordered and cannot be removed."
        ) from error
