import asyncio
import os
import signal
import subprocess
import sys

import pytest

from shop.consumer import finish
from shop.settings import Settings

WORKER = [sys.executable, "-m", "shop.consumer"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_worker_in_order(
    settings: Settings, number: signal.Signals
) -> None:
    environment = {
        "DATABASE_URL": settings.database_url,
        "CACHE_URL": settings.cache_url,
        "BROKER_URL": settings.broker_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    with subprocess.Popen(
        WORKER, env=os.environ | environment, stderr=subprocess.PIPE, text=True
    ) as worker:
        try:
            assert worker.stderr
            # Now it is at work.
            assert any("broker does not answer" in line for line in worker.stderr)
            worker.send_signal(number)
            _, complaints = worker.communicate(timeout=60)
        finally:
            worker.kill()

    assert worker.returncode == 0
    assert "Traceback" not in complaints


@pytest.mark.anyio
async def test_a_worker_that_is_stopped_finishes_its_work() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    done = []

    async def work() -> None:
        begun.set()
        await may_end.wait()
        done.append(True)

    worker = asyncio.create_task(finish(work()))
    await begun.wait()
    worker.cancel()
    asyncio.get_running_loop().call_soon(may_end.set)
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert done
