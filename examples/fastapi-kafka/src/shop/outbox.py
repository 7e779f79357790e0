"""Events on their way to the broker: none is lost.

An event is stored in the transaction of what it tells of, so both are there or neither.
Whoever stored it publishes it after the commit, and deletes it when the broker has
confirmed it. The worker relays what is left behind. So an event may be published twice:
its handlers have to bear that.
"""

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from .events import OrderCreated
from .messaging import Publisher, PublishError
from .models import OutboxEvent

logger = logging.getLogger(__name__)


def store(session: AsyncSession, event: OrderCreated) -> OutboxEvent:
    """Make an event a part of the transaction."""
    row = OutboxEvent(
        event=event.model_dump(mode="json"),
        created_at=event.occurred_at,  # of the clock that relay() reads
    )
    session.add(row)
    return row


async def publish(
    session: AsyncSession,
    publisher: Publisher,
    row: OutboxEvent,
) -> None:
    """Publish an event that is committed, or leave it behind.

    It holds no connection to the database while it waits for the broker.
    """
    event = OrderCreated.model_validate(row.event)
    try:
        await publisher.publish(event)
        await session.execute(delete(OutboxEvent).where(OutboxEvent.id == row.id))
        await session.commit()
    except (PublishError, SQLAlchemyError) as error:
        # The order is stored: what fails now must not make it look refused.
        logger.error("Order %s is stored, not yet announced: %s", event.order_id, error)


async def relay(
    session: AsyncSession,
    publisher: Publisher,
    *,
    min_age: timedelta,
) -> None:
    """Publish what was left behind, in the order in which it was stored.

    Younger events are still with who stored them. Several processes may relay at once:
    each locks the one event that it publishes, and skips those of others.
    """
    oldest = (
        select(OutboxEvent)
        .where(OutboxEvent.created_at <= datetime.now(UTC) - min_age)
        .order_by(OutboxEvent.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    try:
        while row := await session.scalar(oldest):
            await publisher.publish(OrderCreated.model_validate(row.event))
            await session.delete(row)
            await session.commit()
    except (PublishError, SQLAlchemyError) as error:
        logger.error("Events are left in the outbox: %s", error)
    except Exception:
        logger.exception("An event in the outbox cannot be published")
