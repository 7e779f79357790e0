"""The worker that confirms orders: `python manage.py confirm_orders`."""

import logging
import threading

from django.conf import settings
from django.db import close_old_connections

from . import cache
from .events import OrderCreated
from .messaging import consume
from .models import Order
from .serializers import OrderSerializer

logger = logging.getLogger(__name__)


def confirm_order(event: OrderCreated) -> bool:
    """Confirm a pending order; repeated, it changes nothing and returns False."""
    pending = Order.objects.filter(pk=event.order_id, status=Order.Status.PENDING)
    return bool(pending.update(status=Order.Status.CONFIRMED))


def remember_order(order_id: int) -> None:
    """Put an order into the cache as it is now, in place of what was there."""
    order = Order.objects.filter(pk=order_id).first()
    if order is not None:
        cache.remember_order(OrderSerializer(order).data)


def handle(event: OrderCreated) -> None:
    """Confirm the order that an event tells of."""
    # Requests do this by themselves: a connection that the server closed is replaced.
    close_old_connections()
    confirmed = confirm_order(event)
    logger.info("Order %s confirmed: %s", event.order_id, confirmed)
    remember_order(event.order_id)


def run(
    *, ready: threading.Event | None = None, stop: threading.Event | None = None
) -> None:
    """Confirm orders until `stop` is set."""
    consume(settings.BROKER_URL, handle, ready=ready, stop=stop)
