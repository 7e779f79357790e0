"""Figures, and no limits: `pytest -m slow`. Yours: change it with the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

import pytest
from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from .factories import ProductFactory
from .support.faults import Faults

pytestmark = [pytest.mark.anyio, pytest.mark.commits, pytest.mark.slow]

MANY = 40  # more than the pool has connections

Record = Callable[[str, object], None]


async def list_products(client: AsyncClient, record_property: Record) -> None:
    """Make many requests at once, see that none fails, and record how fast that was."""
    began = perf_counter()
    answers = await asyncio.gather(*(client.get("/products") for _ in range(MANY)))
    record_property("requests per second", round(MANY / (perf_counter() - began)))
    assert {answer.status_code for answer in answers} == {200}


async def test_throughput(
    client: AsyncClient, db_session: AsyncSession, record_property: Record
) -> None:
    await ProductFactory.acreate_batch(20)
    await db_session.commit()
    await list_products(client, record_property)


async def test_requests_wait_for_a_connection_of_the_pool(
    client: AsyncClient, faults: Faults, record_property: Record
) -> None:
    with faults.database.latency(0.05):
        await list_products(client, record_property)
