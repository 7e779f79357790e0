"""How long does a call of pytest take that runs one test?

Beside plain pytest with the same plugins, on an empty test and on one that imports the
application: an empty test beside the test bed, and a test that asks the database, when
its server is there already and when it has to start. In brackets, what is more than
with the import. The repository is installed as its README says, in an environment of
its own.
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
    install,
    is_django,
    print_row,
    progress,
    rendered,
    services_up,
)

STACKS: list[Stack] = [
    {"framework": "fastapi", "database": "postgres"},
    {"framework": "django", "database": "mysql"},
]
PLAIN = "plain pytest"
APPLICATION = "plain pytest, importing the application"
BESIDE = "no service"
MIGRATE = "server is up"
KEPT = "server and migrated database are up"
COLD = "nothing is up"
WAYS = (PLAIN, APPLICATION, BESIDE, KEPT, MIGRATE, COLD)

EMPTY = "def test_nothing():\n    pass\n"
IMPORTS = {
    "fastapi": "from shop.main import create_app\nfrom httpx2 import AsyncClient\n",
    "flask": "from shop import create_app\n",
    "django": "",  # pytest-django imports it, in any test
}
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


def seconds(repository: Path, test: Path) -> float:
    """Call pytest with one test."""
    begin = time.perf_counter()
    command = [".venv/bin/python", "-m", "pytest", "-q", str(test)]
    result = subprocess.run(command, cwd=repository, capture_output=True, text=True)
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
        install(repository)
        plain = repository / "plain" / "test_nothing.py"
        application = plain.with_name("test_application.py")
        beside = repository / "tests" / "integration" / "test_nothing.py"
        asks = beside.with_name("test_select.py")
        imports = IMPORTS[str(stack.get("framework", "fastapi"))]
        plain.parent.mkdir()
        plain.write_text(EMPTY)
        application.write_text(f"{imports}\n\n{EMPTY}")
        beside.write_text(EMPTY)
        tests = ASKS_DJANGO if is_django(stack) else ASKS_SQLALCHEMY
        asks.write_text(in_words_of(repository, tests))
        wiring = beside.with_name("wiring.py")
        with services_up(repository):
            for number in progress(range(runs + 1), of=name(stack)):
                times[PLAIN].append(seconds(repository, plain))
                times[APPLICATION].append(seconds(repository, application))
                times[BESIDE].append(seconds(repository, beside))
                # What the kept database is made of: the next call makes another.
                with wiring.open("a") as file:
                    file.write(f"# {number}\n")
                times[MIGRATE].append(seconds(repository, asks))
                times[KEPT].append(seconds(repository, asks))
        for _ in progress(range(runs + 1), of=name(stack)):
            times[COLD].append(seconds(repository, asks))
            wait_for_end(repository)
    # The first of each is not counted: it fills caches.
    return {way: statistics.median(times[way][1:]) for way in WAYS}


def main() -> None:
    """Measure the stacks, and print seconds and what the test bed adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_stacks(parser, STACKS)
    parser.add_argument("--runs", type=int, default=7, help="of each way (7)")
    options = parser.parse_args()
    print_row("stack", *(f"{way}, s" for way in WAYS))
    print_row(*["---"] * (1 + len(WAYS)))
    for stack in options.stacks:
        medians = measure(stack, options.runs)
        plain = medians[APPLICATION]
        more = (
            f"{medians[way]:.2f} (+{medians[way] - plain:.2f},"
            f" {medians[way] / plain:.1f} times)"
            for way in WAYS[2:]
        )
        print_row(name(stack), f"{medians[PLAIN]:.2f}", f"{plain:.2f}", *more)


if __name__ == "__main__":
    main()
