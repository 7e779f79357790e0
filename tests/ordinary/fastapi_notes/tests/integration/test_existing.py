import asyncio

import pytest


async def test_ours_still_runs_on_our_own_plugin(greeting: str) -> None:
    await asyncio.sleep(0)
    assert greeting == "hello"


@pytest.mark.slow
def test_our_marker_is_known() -> None:
    pass
