"""The worker that confirms orders:

flask --app shop.main consume
"""

import logging
import signal
import threading

from flask import Flask

from .database import db
from .dependencies import get_cache
from .events import OrderCreated
from .messaging import consume
from .models import Order
from .schemas import OrderOut
from .settings import Settings

logger = logging.getLogger(__name__)


def confirm_order(event: OrderCreated) -> bool:
    """Confirm a pending order; repeated, it changes nothing and returns False."""
    order = db.session.get(Order, event.order_id, with_for_update=True)
    if order is None or order.status == "confirmed":
        return False
    order.status = "confirmed"
    db.session.commit()
    return True


def remember_order(order_id: int) -> None:
    """Put an order into the cache as it is now, in place of what was there."""
    order = db.session.get(Order, order_id)
    if order is not None:
        get_cache().set(order.id, OrderOut.model_validate(order))


def run(
    app: Flask,
    *,
    ready: threading.Event | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Confirm orders until `stop` is set."""

    def handle(event: OrderCreated) -> None:
        # As each request, each event has a session of its own.
        with app.app_context():
            confirmed = confirm_order(event)
            logger.info("Order %s confirmed: %s", event.order_id, confirmed)
            remember_order(event.order_id)

    settings: Settings = app.config["SETTINGS"]
    consume(settings.broker_url, handle, ready=ready, stop=stop)


def add_commands(app: Flask) -> None:
    """Give the application `flask consume`."""

    @app.cli.command("consume")
    def consume_orders() -> None:
        """Confirm orders until stopped."""
        logging.basicConfig(level=logging.INFO)
        stop = threading.Event()
        # Ctrl-C, and what stops a container: neither may end us halfway.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        run(app, stop=stop)
