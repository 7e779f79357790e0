import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from shop.routers import health


async def answer() -> None:
    pass


async def fail() -> None:
    raise ConnectionError("refused")


async def hang() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(60)  # as a client that takes long to give up


@pytest.mark.parametrize(
    ("probe", "result"),
    [(answer, "ok"), (fail, "error"), (hang, "error")],
)
def test_check_ends_in_time_whatever_the_service_does(
    monkeypatch: pytest.MonkeyPatch,
    probe: Callable[[], Coroutine[Any, Any, None]],
    result: str,
) -> None:
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.01)

    async def check_in_time() -> str:
        async with asyncio.timeout(5):
            return await health.check("service", probe())

    assert asyncio.run(check_in_time()) == result
