"""Models on the real database. Yours: change it with the models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from shop.models import OrderLine, Product, User

from .factories import OrderFactory, ProductFactory, UserFactory


def test_a_sku_is_unique(db_session: Session) -> None:
    ProductFactory.create(sku="TEA-100")
    with pytest.raises(IntegrityError, match="uq_products_sku"):
        ProductFactory.create(sku="TEA-100")


def test_stock_is_never_negative(db_session: Session) -> None:
    with pytest.raises(DBAPIError, match="ck_products_stock_not_negative"):
        ProductFactory.create(stock=-1)


def test_an_address_with_an_accent_is_another_one(
    db_session: Session,
) -> None:
    UserFactory.create(email="jose@example.com")
    UserFactory.create(email="josé@example.com")

    found = select(func.count()).where(User.email == "jose@example.com")
    assert db_session.scalar(found) == 1


def test_a_moment_knows_its_time_zone(db_session: Session) -> None:
    user = UserFactory.create()
    db_session.refresh(user)
    assert abs(datetime.now(UTC) - user.created_at) < timedelta(minutes=10)


def test_an_order_needs_a_user_that_exists(db_session: Session) -> None:
    with pytest.raises(IntegrityError, match="fk_orders_user_id"):
        OrderFactory.create(user_id=0)


def test_sales_are_summed_over_orders(db_session: Session) -> None:
    tea = ProductFactory.create(name="Tea", price_cents=450)
    cup = ProductFactory.create(name="Cup", price_cents=1_290)
    for quantity in (1, 2):
        OrderFactory.create(product=tea, quantity=quantity)
    OrderFactory.create(product=cup)

    sales = func.sum(OrderLine.quantity * OrderLine.unit_price_cents)
    by_product = db_session.execute(
        select(Product.name, func.count(), sales)
        .join(OrderLine, OrderLine.product_id == Product.id)
        .group_by(Product.name)
        .order_by(sales.desc(), Product.name)
    )

    assert by_product.all() == [("Tea", 2, 1_350), ("Cup", 1, 1_290)]


def test_a_savepoint_undoes_only_its_own_part(db_session: Session) -> None:
    tea = ProductFactory.create(stock=5)
    savepoint = db_session.begin_nested()
    tea.stock = -1
    with pytest.raises(DBAPIError, match="ck_products_stock_not_negative"):
        db_session.flush()
    savepoint.rollback()

    db_session.refresh(tea)
    assert tea.stock == 5
