"""How long after the slowest server first answers do containers count as healthy?

Runs `docker compose up --wait` and, at the same time, asks every server from the host
until it answers a client. Prints both times since the start, and their ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.stacks import Stack, name

from .repository import (
    add_stacks,
    compose,
    print_row,
    progress,
    rendered,
    services_up,
)

STACKS: list[Stack] = [
    {},
    {"database": "mysql", "cache": "valkey", "broker": "kafka"},
]

# Asked inside of the repository, with the probes that its own fixtures use.
ASK = """
import sys
import time
from importlib import import_module
sys.path[:0] = ["src", "tests"]
from integration import wiring  # first, as the module of a database imports it, too
from integration.support import compose, lifecycle
from integration.support.endpoints import SERVICES, Endpoint
name = sys.argv[1]
service = SERVICES[name]
probe = import_module(f"integration.support.{name}").probe
begin = time.time()
while True:
    try:
        found = [c for c in compose.containers() if c.service == name][0]
        ports = lifecycle.published_ports(service, found)
        probe(Endpoint(service, "127.0.0.1", ports, service.user, service.password,
                       service.database, False))
        break
    except Exception:
        if time.time() > begin + 300:
            raise
        time.sleep(0.02)
print(time.time())
"""


class Start(NamedTuple):
    """Seconds until the slowest server answered, and until all were healthy."""

    answered: float
    healthy: float


def measure(repository: Path) -> Start:
    """Start the services once, and stop them."""
    services = compose(repository, "config", "--services").split()
    begin = time.time()
    ask = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, service],
            cwd=repository,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings_for_tests"},
        )
        for service in services
    ]
    with services_up(repository):
        healthy = time.time() - begin
        answers = [process.communicate() for process in ask]
    for process, (_, errors) in zip(ask, answers, strict=True):
        if process.returncode:
            sys.exit(errors[-3000:])
    return Start(max(float(moment) for moment, _ in answers) - begin, healthy)


def main() -> None:
    """Measure several starts of each stack, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_stacks(parser, STACKS)
    parser.add_argument("--runs", type=int, default=5, help="of each stack (5)")
    options = parser.parse_args()
    print_row("stack", "slowest server answers, s", "all are healthy, s", "ratio")
    print_row(*["---"] * 4)
    for stack in options.stacks:
        with rendered(stack) as repository:
            starts = [
                measure(repository)
                for _ in progress(range(options.runs), of=name(stack))
            ]
        medians = (
            statistics.median(times)
            for times in (
                [start.answered for start in starts],
                [start.healthy for start in starts],
                [start.healthy / start.answered for start in starts],
            )
        )
        print_row(name(stack) or "default", *(f"{median:.2f}" for median in medians))


if __name__ == "__main__":
    main()
