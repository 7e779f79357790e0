import os
import signal
import subprocess
import sys

import pytest

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
