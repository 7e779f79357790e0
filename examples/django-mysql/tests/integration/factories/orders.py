from factory.declarations import RelatedFactory, SelfAttribute, SubFactory

from shop.models import Order, OrderLine

from ..support.factories import ModelFactory
from .products import ProductFactory
from .users import UserFactory


class OrderLineFactory(ModelFactory[OrderLine]):
    class Meta:
        model = OrderLine

    product = SubFactory(ProductFactory)
    quantity = 1
    unit_price_cents = SelfAttribute("product.price_cents")


class OrderFactory(ModelFactory[Order]):
    """An order of one product: `OrderFactory.create(line__product=tea)`."""

    class Meta:
        model = Order

    user = SubFactory(UserFactory)
    line = RelatedFactory(OrderLineFactory, factory_related_name="order")
