"""Waiting for something to become true, instead of sleeping.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def wait_until(
    check: Callable[[], Awaitable[T]], *, timeout: float = 5.0, what: str
) -> T:
    """Call `check` until its result is true, and give that result.

    After `timeout` seconds it raises an AssertionError that says `what` did not come,
    and what `check` gave last.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = await check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(
                f"waited {timeout} s for {what}; the last result is {result!r}"
            )
        await anyio.sleep(0.02)
