"""The tests that patterns.py runs, in three modules, with each pattern's `session`."""

import pytest
from shop.models import Product
from sqlalchemy import func, select


@pytest.mark.parametrize("number", range(8))
def test_product_is_stored_in_an_empty_table(session, number):
    assert session.scalar(select(func.count()).select_from(Product)) == 0
    session.add(Product(sku=f"tea-{number}", name="Tea", price_cents=1, stock=1))
    session.commit()
    assert session.scalar(select(Product.sku)) == f"tea-{number}"
