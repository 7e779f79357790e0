"""Orders in the cache. A server that is down is an empty cache."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def remembered_order(order_id: int) -> dict[str, Any] | None:
    """The order as it was remembered; None where it has to be read."""
    with _doing_without(order_id):
        order: dict[str, Any] | None = cache.get(_key(order_id))
        return order
    return None


def remember_order(order: dict[str, Any], *, overwrite: bool = True) -> None:
    """Keep an order for a while."""
    keep = cache.set if overwrite else cache.add
    with _doing_without(order["id"]):
        keep(_key(order["id"]), order)


def ping() -> None:
    """Raise unless the server answers."""
    cache.get("ping")


@contextmanager
def _doing_without(order_id: int) -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        logger.warning("The cache is no help with order %s: %s", order_id, error)


def _key(order_id: int) -> str:
    return f"order:{order_id}"
