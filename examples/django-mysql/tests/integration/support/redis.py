"""Redis: a numbered database for every test process, empty for every test.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

from .endpoints import Endpoint
from .lifecycle import LoginRefused, Services
from .processes import Process, is_abandoned

# In database 0, which no test uses: `testbed:database:7` holds the name of its process.
_CLAIM = "testbed:database:{}"

_CLAIM_EXPIRES = 24 * 60 * 60  # seconds: CI machines that were killed never come back

_TAKE_OVER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


def connect(endpoint: Endpoint) -> Redis:
    """Connect to one numbered database."""
    url = endpoint.url("redis")
    return Redis.from_url(url, socket_timeout=5, decode_responses=True)


def probe(endpoint: Endpoint) -> str:
    """Log in and ask; raises LoginRefused, or redis.RedisError when either fails."""
    try:
        with connect(endpoint) as server:
            server.ping()  # refused while it loads, where INFO would be answered
            version: str = server.info("server")["redis_version"]
            return version
    except AuthenticationError as error:
        reason = error if endpoint.password else "it wants a password"
        raise LoginRefused(endpoint, reason) from None


@pytest.fixture(scope="session", name="redis")
def cache_server(services: Services) -> Endpoint:
    """The Redis server."""
    return services.require("redis", probe)


@pytest.fixture(scope="session")
def cache(services: Services, redis: Endpoint, process: Process) -> Iterator[Endpoint]:
    """A numbered database for this process alone."""
    with connect(replace(redis, database="0")) as server:
        _release_abandoned(server, redis, process.name)
        number = _claim(server, redis, process.name)
        if number is None:
            services.give_up(
                redis.service,
                f"{redis} has no empty numbered database left for this process."
                " Run fewer at once, or start the server with more (`--databases 64`).",
            )
        with connect(replace(redis, database=str(number))) as own:
            own.flushdb()
            yield replace(redis, database=str(number))
            own.flushdb()
        server.delete(_CLAIM.format(number))


@pytest.fixture(autouse=True)
def empty_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave the process's database empty after a test that used it."""
    if "cache" not in request.fixturenames:
        yield
        return
    cache: Endpoint = request.getfixturevalue("cache")
    yield
    with connect(cache) as own:
        own.flushdb()


@pytest.fixture
def cache_client(cache: Endpoint) -> Iterator[Redis]:
    """A client of the process's own database, which is empty."""
    url = cache.url("redis")
    with Redis.from_url(url, decode_responses=True) as client:
        yield client


def _release_abandoned(server: Redis, endpoint: Endpoint, process: str) -> None:
    """Empty the databases of processes that were killed, and release them."""
    for key in server.scan_iter(_CLAIM.format("*")):
        owner = server.get(key)
        # Another process may be at it, too: whose name replaces the owner's goes on.
        if (
            owner
            and is_abandoned(str(owner))
            and server.eval(_TAKE_OVER, 1, key, str(owner), process, _CLAIM_EXPIRES)
        ):
            with connect(replace(endpoint, database=key.split(":")[-1])) as abandoned:
                abandoned.flushdb()
            server.delete(key)


def _claim(server: Redis, endpoint: Endpoint, process: str) -> int | None:
    """Reserve a numbered database that no other process uses and that holds no keys."""
    # From the last one: an application that shares the server has the first ones.
    for number in range(_number_of_databases(server) - 1, 0, -1):
        key = _CLAIM.format(number)
        if server.set(key, process, nx=True, ex=_CLAIM_EXPIRES):
            with connect(replace(endpoint, database=str(number))) as candidate:
                if not candidate.dbsize():
                    return number
            server.delete(key)  # somebody else's keys: not ours to remove
    return None


def _number_of_databases(server: Redis) -> int:
    try:
        return int(server.config_get("databases")["databases"] or 16)
    except ResponseError:  # a hosted server that does not tell
        return 16
