"""Models on the real database. Yours: change it with the models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shop.models import OrderLine, Product, User

from .factories import OrderFactory, ProductFactory, UserFactory

pytestmark = pytest.mark.anyio


async def test_a_sku_is_unique(db_session: AsyncSession) -> None:
    await ProductFactory.acreate(sku="TEA-100")
    with pytest.raises(IntegrityError, match="uq_products_sku"):
        await ProductFactory.acreate(sku="TEA-100")


async def test_stock_is_never_negative(db_session: AsyncSession) -> None:
    with pytest.raises(DBAPIError, match="ck_products_stock_not_negative"):
        await ProductFactory.acreate(stock=-1)


async def test_an_address_with_an_accent_is_another_one(
    db_session: AsyncSession,
) -> None:
    await UserFactory.acreate(email="jose@example.com")
    await UserFactory.acreate(email="josé@example.com")

    found = select(func.count()).where(User.email == "jose@example.com")
    assert await db_session.scalar(found) == 1


async def test_a_moment_knows_its_time_zone(db_session: AsyncSession) -> None:
    user = await UserFactory.acreate()
    await db_session.refresh(user)
    assert abs(datetime.now(UTC) - user.created_at) < timedelta(minutes=10)


async def test_an_order_needs_a_user_that_exists(db_session: AsyncSession) -> None:
    with pytest.raises(IntegrityError, match="fk_orders_user_id"):
        await OrderFactory.acreate(user_id=0)


async def test_sales_are_summed_over_orders(db_session: AsyncSession) -> None:
    tea = await ProductFactory.acreate(name="Tea", price_cents=450)
    cup = await ProductFactory.acreate(name="Cup", price_cents=1_290)
    for quantity in (1, 2):
        await OrderFactory.acreate(product=tea, quantity=quantity)
    await OrderFactory.acreate(product=cup)

    sales = func.sum(OrderLine.quantity * OrderLine.unit_price_cents)
    by_product = await db_session.execute(
        select(Product.name, func.count(), sales)
        .join(OrderLine, OrderLine.product_id == Product.id)
        .group_by(Product.name)
        .order_by(sales.desc(), Product.name)
    )

    assert by_product.all() == [("Tea", 2, 1_350), ("Cup", 1, 1_290)]


async def test_a_savepoint_undoes_only_its_own_part(db_session: AsyncSession) -> None:
    tea = await ProductFactory.acreate(stock=5)
    savepoint = await db_session.begin_nested()
    tea.stock = -1
    with pytest.raises(DBAPIError, match="ck_products_stock_not_negative"):
        await db_session.flush()
    await savepoint.rollback()

    await db_session.refresh(tea)
    assert tea.stock == 5
