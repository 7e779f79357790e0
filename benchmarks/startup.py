"""How long after the slowest server first answers do containers count as healthy?

Runs `docker compose up --wait` and, at the same time, asks every server from the host
until it answers a client. Prints both times since the start, and their ratio.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from repository import render

RUNS = 5
COMPOSE = ["docker", "compose", "-f", "docker-compose.test.yml"]

# Asked inside of the repository, with the probes that its own fixtures use.
ASK = """
import sys
import time
from importlib import import_module
sys.path[:0] = ["src", "tests"]
from integration.support import compose
from integration.support.endpoints import SERVICES, Endpoint
name = sys.argv[1]
service = SERVICES[name]
probe = import_module(f"integration.support.{name}").probe
while True:
    try:
        found = [c for c in compose.containers() if c.service == name][0]
        ports = {port: found.ports[no] for port, no in service.ports.items()}
        probe(Endpoint(service, "127.0.0.1", ports, service.user, service.password,
                       service.database, False))
        break
    except Exception:
        time.sleep(0.02)
print(time.time())
"""


def measure(repository: Path) -> tuple[float, float]:
    """Seconds until the slowest server answered, and until all were healthy."""
    services = ["postgres", "redis", "rabbitmq"]
    begin = time.time()
    ask = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, service],
            cwd=repository,
            stdout=subprocess.PIPE,
            text=True,
        )
        for service in services
    ]
    up = [*COMPOSE, "up", "--detach", "--wait"]
    subprocess.run(up, cwd=repository, check=True, capture_output=True)
    healthy = time.time() - begin
    answered = max(float(process.communicate()[0]) for process in ask) - begin
    down = [*COMPOSE, "down", "--volumes", "--timeout", "0"]
    subprocess.run(down, cwd=repository, check=True, capture_output=True)
    return answered, healthy


def main() -> None:
    """Measure several starts and print a line for each, and the median ratio."""
    with tempfile.TemporaryDirectory() as temporary:
        repository = Path(temporary) / "shop"
        render(repository)
        ratios = []
        for number in range(1, RUNS + 1):
            answered, healthy = measure(repository)
            ratios.append(healthy / answered)
            print(
                f"start {number}: slowest server answers after {answered:.2f} s,"
                f" all healthy after {healthy:.2f} s, ratio {ratios[-1]:.2f}"
            )
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
