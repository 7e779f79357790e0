"""A cache of pydantic models in Valkey."""

import logging
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

TIMEOUT_SECONDS = 0.5

ModelT = TypeVar("ModelT", bound=BaseModel)

logger = logging.getLogger(__name__)


class Cache:
    """Remembers models by type and key; a server that is down is an empty cache.

    It connects when it is first used.
    """

    def __init__(self, url: str, *, prefix: str, ttl_seconds: int) -> None:
        # Waiting and trying again would cost more than the database that it saves.
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), retries=0),
        )
        self._prefix = prefix
        self._ttl_seconds = ttl_seconds

    def get(self, model: type[ModelT], key: object) -> ModelT | None:
        """What is remembered, if this version of the model can read it."""
        name = self._name(model, key)
        try:
            stored = self._redis.get(name)
        except RedisError as error:
            logger.warning("%s was not read from the cache: %s", name, error)
            return None
        if stored is None:
            return None
        try:
            return model.model_validate_json(stored)
        except ValidationError:
            logger.warning("%s in the cache is of another version", name)
            return None

    def set(
        self,
        key: object,
        value: BaseModel,
        *,
        overwrite: bool = True,
    ) -> None:
        """Remember a model for a while."""
        name = self._name(type(value), key)
        try:
            self._redis.set(
                name,
                value.model_dump_json(),
                ex=self._ttl_seconds,
                nx=not overwrite,
            )
        except RedisError as error:
            logger.warning("%s was not written to the cache: %s", name, error)

    def ping(self) -> None:
        """Raise unless the server answers."""
        self._redis.ping()

    def _name(self, model: type[BaseModel], key: object) -> str:
        return f"{self._prefix}{model.__name__}:{key}"
