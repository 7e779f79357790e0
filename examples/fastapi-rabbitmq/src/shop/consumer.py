"""The worker that confirms orders, and relays events that were left behind:

python -m shop.consumer
"""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

from .cache import Cache
from .database import SessionFactory, make_engine, make_session_factory
from .events import OrderCreated
from .messaging import Publisher, consume
from .models import Order
from .outbox import relay
from .schemas import OrderOut
from .settings import Settings

logger = logging.getLogger(__name__)


async def confirm_order(session_factory: SessionFactory, event: OrderCreated) -> bool:
    """Confirm a pending order; repeated, it changes nothing and returns False."""
    async with session_factory() as session:
        order = await session.get(Order, event.order_id, with_for_update=True)
        if order is None or order.status == "confirmed":
            return False
        order.status = "confirmed"
        await session.commit()
    return True


async def remember_order(
    session_factory: SessionFactory, cache: Cache, order_id: int
) -> None:
    """Put an order into the cache as it is now, in place of what was there."""
    async with session_factory() as session:
        order = await session.get(Order, order_id)
    if order is not None:
        await cache.set(order.id, OrderOut.model_validate(order))


async def finish(work: Coroutine[Any, Any, object]) -> None:
    """Await work to its end, even when cancelled meanwhile.

    A cancelled query would cost its connection, and some drivers lose the cancellation.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def keep_relaying(
    session_factory: SessionFactory, publisher: Publisher, seconds: float
) -> None:
    """Relay events every so many seconds, until cancelled."""

    async def relay_once() -> None:
        async with session_factory() as session:
            await relay(session, publisher, min_age=timedelta(seconds=seconds))

    while True:
        await asyncio.sleep(seconds)
        await finish(relay_once())


async def run(settings: Settings, *, ready: asyncio.Event | None = None) -> None:
    """Confirm orders and relay events until cancelled."""
    async with AsyncExitStack() as resources:
        engine = make_engine(settings.database_url)
        resources.push_async_callback(engine.dispose)
        session_factory = make_session_factory(engine)
        cache = Cache(
            settings.cache_url,
            prefix=settings.cache_prefix,
            ttl_seconds=settings.cache_ttl_seconds,
        )
        resources.push_async_callback(cache.close)
        publisher = Publisher(settings.broker_url)
        resources.push_async_callback(publisher.close)

        async def handle(event: OrderCreated) -> None:
            confirmed = await confirm_order(session_factory, event)
            logger.info("Order %s confirmed: %s", event.order_id, confirmed)
            await remember_order(session_factory, cache, event.order_id)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                keep_relaying(session_factory, publisher, settings.relay_seconds)
            )
            await consume(
                settings.broker_url, lambda event: finish(handle(event)), ready=ready
            )


async def main() -> None:
    worker = asyncio.create_task(run(Settings()))
    # Ctrl-C, and what stops a container: neither may end us halfway.
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, worker.cancel)
    with suppress(asyncio.CancelledError):
        await worker


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
