import asyncio
import logging
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text

from ..database import SessionFactory
from ..dependencies import (
    CacheDep,
    PublisherDep,
    SessionFactoryDep,
)
from ..schemas import CheckResult, Health

TIMEOUT_SECONDS = 2

logger = logging.getLogger(__name__)
router = APIRouter(tags=["health"])


async def ping_database(session_factory: SessionFactory) -> None:
    async with session_factory() as session:
        await session.execute(text("SELECT 1"))


async def check(name: str, probe: Coroutine[Any, Any, None]) -> CheckResult:
    task = asyncio.create_task(probe)
    # Not wait_for: that would also wait for a client which is slow to give up.
    await asyncio.wait([task], timeout=TIMEOUT_SECONDS)
    if not task.done():
        task.cancel()
        logger.warning("The %s did not answer within %s s", name, TIMEOUT_SECONDS)
        return "error"
    if error := task.exception():
        logger.warning("The %s failed: %s: %s", name, type(error).__name__, error)
        return "error"
    return "ok"


@router.get("/health", responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Health}})
async def show_health(
    response: Response,
    session_factory: SessionFactoryDep,
    cache: CacheDep,
    publisher: PublisherDep,
) -> Health:
    probes = {
        "database": ping_database(session_factory),
        "cache": cache.ping(),
        "broker": publisher.ping(),
    }
    results = await asyncio.gather(*(check(*probe) for probe in probes.items()))
    checks = dict(zip(probes, results, strict=True))
    if "error" in results:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(status="error", checks=checks)
    return Health(status="ok", checks=checks)
