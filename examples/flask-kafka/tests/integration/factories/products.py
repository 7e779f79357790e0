from factory.declarations import Sequence

from shop.models import Product

from ..support.factories import ModelFactory


class ProductFactory(ModelFactory[Product]):
    class Meta:
        model = Product

    sku = Sequence(lambda n: f"SKU-{n}")
    name = Sequence(lambda n: f"Product {n}")
    price_cents = 1_000
    stock = 10
