"""How long do the rendered tests take, serially and with -n 4, and do they ever fail?

Runs every combination of cache, broker and starter several times each way, on services
that are kept up meanwhile, and prints a Markdown table with a row for each.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from repository import render

COMPOSE = ["docker", "compose", "-f", "docker-compose.test.yml"]


def run(repository: Path, *arguments: str) -> tuple[bool, int, float]:
    """Whether the tests passed, how many they were, and how many seconds they took."""
    begin = time.perf_counter()
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "anyio",
            "-p",
            "xdist",
            *arguments,
        ],
        cwd=repository,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": "src",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )
    seconds = time.perf_counter() - begin
    passed = re.search(r"(\d+) passed", result.stdout)
    if result.returncode:
        print(result.stdout[-3000:], file=sys.stderr)
    return result.returncode == 0, int(passed[1]) if passed else 0, seconds


def main() -> None:
    """Measure all combinations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of each kind (20)")
    runs = parser.parse_args().runs
    counted = f"failed of {2 * runs}"
    print(f"| cache | broker | starter | tests | serial, s | -n 4, s | {counted} |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for cache, broker, starter in itertools.product(
        ["redis", "none"], ["rabbitmq", "none"], ["true", "false"]
    ):
        with tempfile.TemporaryDirectory() as temporary:
            repository = Path(temporary) / "shop"
            render(
                repository, f"cache={cache}", f"broker={broker}", f"starter={starter}"
            )
            up = [*COMPOSE, "up", "--detach", "--wait"]
            subprocess.run(up, cwd=repository, check=True, capture_output=True)
            serial = [run(repository) for _ in range(runs)]
            parallel = [run(repository, "-n", "4") for _ in range(runs)]
            down = [*COMPOSE, "down", "--volumes", "--timeout", "0"]
            subprocess.run(down, cwd=repository, check=True, capture_output=True)
        failed = sum(not passed for passed, _, _ in serial + parallel)
        cells = [
            *(cache, broker, starter, max(count for _, count, _ in serial)),
            *(
                f"{statistics.median(s for _, _, s in kind):.1f}"
                for kind in (serial, parallel)
            ),
            failed,
        ]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
