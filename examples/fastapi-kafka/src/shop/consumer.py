"""The worker that confirms orders:

python -m shop.consumer
"""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack, suppress

from .cache import Cache
from .database import SessionFactory, make_engine, make_session_factory
from .events import OrderCreated
from .messaging import consume
from .models import Order
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


async def run(settings: Settings, *, ready: asyncio.Event | None = None) -> None:
    """Confirm orders until cancelled."""
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

        async def handle(event: OrderCreated) -> None:
            confirmed = await confirm_order(session_factory, event)
            logger.info("Order %s confirmed: %s", event.order_id, confirmed)
            await cache.delete(OrderOut, event.order_id)

        await consume(settings.broker_url, handle, ready=ready)


async def main() -> None:
    worker = asyncio.create_task(run(Settings()))
    # Containers are stopped with SIGTERM, which would otherwise end us halfway.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.cancel)
    with suppress(asyncio.CancelledError):
        await worker


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
