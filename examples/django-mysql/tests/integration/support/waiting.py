"""Waiting for something to become true, instead of sleeping.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(check: Callable[[], T], *, timeout: float = 5.0, what: str) -> T:
    """Call `check` until its result is true, and give that result.

    After `timeout` seconds it raises an AssertionError that says `what` did not come,
    and what `check` gave last.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(
                f"waited {timeout} s for {what}; the last result is {result!r}"
            )
        time.sleep(0.02)
