import pytest

from .support.plugin import *  # noqa: F403


@pytest.fixture
async def greeting() -> str:
    return "hello"
