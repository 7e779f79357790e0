"""How long does a call of pytest take that runs one test?

Beside plain pytest with the same plugins: an empty test beside the test bed, and a test
that asks the database, when its server is there already and when it has to start.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from tests.stacks import Stack, name

from .repository import (
    add_stacks,
    in_words_of,
    is_django,
    print_row,
    progress,
    rendered,
    run_pytest,
    services_up,
)

STACKS: list[Stack] = [
    {"framework": "fastapi", "database": "postgres"},
    {"framework": "django", "database": "mysql"},
]
PLAIN = "plain pytest"
BESIDE = "no service"
MIGRATE = "server is up"
KEPT = "server and migrated database are up"
COLD = "nothing is up"
WAYS = (PLAIN, BESIDE, KEPT, MIGRATE, COLD)

EMPTY = "def test_nothing():\n    pass\n"
ASKS_SQLALCHEMY = """\
import pytest
from sqlalchemy import text


@pytest.mark.anyio
async def test_select(db_session):
    await db_session.execute(text("SELECT 1"))
"""
ASKS_DJANGO = """\
from django.db import connection


def test_select(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
"""


def seconds(repository: Path, stack: Stack, test: Path) -> float:
    """Call pytest with one test."""
    begin = time.perf_counter()
    result = run_pytest(repository, stack, str(test))
    taken = time.perf_counter() - begin
    if "1 passed" not in result.stdout:
        sys.exit(result.stdout[-3000:] + result.stderr[-3000:])
    return taken


def wait_for_end(repository: Path) -> None:
    """Wait until the containers that pytest started are gone: it does not."""
    label = f"com.docker.compose.project.working_dir={repository}"
    find = ["docker", "ps", "--all", "--quiet", f"--filter=label={label}"]
    while subprocess.run(find, check=True, capture_output=True).stdout:
        time.sleep(0.1)


def measure(stack: Stack, runs: int) -> dict[str, float]:
    """Give the medians of all ways, which take turns."""
    times: dict[str, list[float]] = defaultdict(list)
    with rendered({**stack, "cache": "none", "broker": "none"}) as repository:
        plain = repository / "plain" / "test_nothing.py"
        beside = repository / "tests" / "integration" / "test_nothing.py"
        asks = beside.with_name("test_select.py")
        plain.parent.mkdir()
        plain.write_text(EMPTY)
        beside.write_text(EMPTY)
        tests = ASKS_DJANGO if is_django(stack) else ASKS_SQLALCHEMY
        asks.write_text(in_words_of(repository, tests))
        wiring = beside.with_name("wiring.py")
        with services_up(repository):
            for number in progress(range(runs + 1), of=name(stack)):
                times[PLAIN].append(seconds(repository, stack, plain))
                times[BESIDE].append(seconds(repository, stack, beside))
                # What the kept database is made of: the next call makes another.
                with wiring.open("a") as file:
                    file.write(f"# {number}\n")
                times[MIGRATE].append(seconds(repository, stack, asks))
                times[KEPT].append(seconds(repository, stack, asks))
        for _ in progress(range(runs + 1), of=name(stack)):
            times[COLD].append(seconds(repository, stack, asks))
            wait_for_end(repository)
    # The first of each is not counted: it fills caches.
    return {way: statistics.median(times[way][1:]) for way in WAYS}


def main() -> None:
    """Measure the stacks, and print seconds and what is more than plain pytest."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_stacks(parser, STACKS)
    parser.add_argument("--runs", type=int, default=7, help="of each way (7)")
    options = parser.parse_args()
    print_row("stack", *(f"{way}, s" for way in WAYS))
    print_row(*["---"] * (1 + len(WAYS)))
    for stack in options.stacks:
        medians = measure(stack, options.runs)
        more = (
            f"{medians[way]:.2f} (+{medians[way] - medians[PLAIN]:.2f},"
            f" {medians[way] / medians[PLAIN]:.1f} times)"
            for way in WAYS[1:]
        )
        print_row(name(stack), f"{medians[PLAIN]:.2f}", *more)


if __name__ == "__main__":
    main()
