"""A cache in Valkey: hit, miss and expiry. Yours: change it, or delete it."""

from __future__ import annotations

import pytest
from redis import Redis

from .support.waiting import wait_until


def test_a_key_that_was_never_set_is_a_miss(cache_client: Redis) -> None:
    assert cache_client.get("greeting") is None


def test_a_key_that_was_set_is_a_hit(cache_client: Redis) -> None:
    cache_client.set("greeting", "hello")
    assert cache_client.get("greeting") == "hello"


def test_a_key_expires(cache_client: Redis) -> None:
    cache_client.set("greeting", "hello", px=50)  # milliseconds

    def is_gone() -> bool:
        return cache_client.get("greeting") is None

    wait_until(is_gone, what="the key to expire")


@pytest.mark.parametrize("visit", ["first", "second"])
def test_every_test_finds_the_cache_empty(
    cache_client: Redis,
    visit: str,
) -> None:
    assert cache_client.dbsize() == 0
    cache_client.set("left behind by", visit)
