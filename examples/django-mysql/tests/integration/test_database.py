"""Models on the real database. Yours: change it with the models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Sum

from shop.models import OrderLine, Product, User

from .factories import OrderFactory, ProductFactory, UserFactory

UNKNOWN = 2_000_000_000  # an id that no row has


def test_the_migrations_make_what_the_models_say(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True)


def test_a_sku_is_unique(db: None) -> None:
    ProductFactory.create(sku="TEA-100")
    with pytest.raises(IntegrityError, match="sku"):
        ProductFactory.create(sku="TEA-100")


def test_an_address_with_an_accent_is_another_one(db: None) -> None:
    UserFactory.create(email="jose@example.com")
    UserFactory.create(email="josé@example.com")

    assert User.objects.filter(email="jose@example.com").count() == 1


def test_a_moment_knows_its_time_zone(db: None) -> None:
    user = UserFactory.create()
    user.refresh_from_db()
    assert abs(datetime.now(UTC) - user.created_at) < timedelta(minutes=10)


def test_stock_is_never_negative(db: None) -> None:
    with pytest.raises(IntegrityError, match="product_stock_not_negative"):
        ProductFactory.create(stock=-1)


def test_an_order_needs_a_user_that_exists(db: None) -> None:
    with pytest.raises(IntegrityError, match="user_id"):
        OrderFactory.create(user=None, user_id=UNKNOWN, line=None)


def test_sales_are_summed_over_orders(db: None) -> None:
    tea = ProductFactory.create(name="Tea", price_cents=450)
    cup = ProductFactory.create(name="Cup", price_cents=1_290)
    for quantity in (1, 2):
        OrderFactory.create(line__product=tea, line__quantity=quantity)
    OrderFactory.create(line__product=cup)

    by_product = (
        OrderLine.objects.values_list("product__name")
        .annotate(Count("order"), sales=Sum(F("quantity") * F("unit_price_cents")))
        .order_by("-sales", "product__name")
    )

    assert list(by_product) == [("Tea", 2, 1_350), ("Cup", 1, 1_290)]


def test_a_savepoint_undoes_only_its_own_part(db: None) -> None:
    tea = ProductFactory.create(stock=5)

    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.update(name="Green tea", stock=-1)

    tea.refresh_from_db()
    assert tea.stock == 5
