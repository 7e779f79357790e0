"""The worker that confirms orders, and relays events that were left behind:

flask --app shop.main consume
"""

import logging
import signal
import threading
from datetime import timedelta

from flask import Flask

from .database import db
from .dependencies import get_cache, get_publisher
from .events import OrderCreated
from .messaging import consume
from .models import Order
from .outbox import relay
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


def keep_relaying(app: Flask, stop: threading.Event) -> None:
    """Relay events every so many seconds, until `stop` is set."""
    settings: Settings = app.config["SETTINGS"]
    min_age = timedelta(seconds=settings.relay_seconds)
    while not stop.wait(settings.relay_seconds):
        with app.app_context():
            relay(db.session(), get_publisher(), min_age=min_age)


def run(
    app: Flask,
    *,
    ready: threading.Event | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Confirm orders and relay events until `stop` is set."""
    stop = stop or threading.Event()

    def handle(event: OrderCreated) -> None:
        # As each request, each event has a session of its own.
        with app.app_context():
            confirmed = confirm_order(event)
            logger.info("Order %s confirmed: %s", event.order_id, confirmed)
            remember_order(event.order_id)

    settings: Settings = app.config["SETTINGS"]
    relaying = threading.Thread(target=keep_relaying, args=(app, stop))
    relaying.start()
    try:
        consume(settings.broker_url, handle, ready=ready, stop=stop)
    finally:
        stop.set()
        relaying.join()


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
