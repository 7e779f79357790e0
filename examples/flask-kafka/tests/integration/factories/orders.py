from factory.declarations import LazyAttribute, SelfAttribute, SubFactory

from shop.models import Order, OrderLine

from ..support.factories import ModelFactory
from .products import ProductFactory
from .users import UserFactory


class OrderFactory(ModelFactory[Order]):
    """An order of one product: `OrderFactory.create(product=product, quantity=2)`."""

    class Meta:
        model = Order

    class Params:
        user = SubFactory(UserFactory)
        product = SubFactory(ProductFactory)
        quantity = 1

    user_id = SelfAttribute("user.id")
    lines = LazyAttribute(
        lambda order: [
            OrderLine(
                product_id=order.product.id,
                quantity=order.quantity,
                unit_price_cents=order.product.price_cents,
            )
        ]
    )
