"""How long does a small suite take, our way and in ways that are common elsewhere?

Three modules of eight tests on PostgreSQL, through SQLAlchemy; nothing is up when they
begin, but for the last way. Measured are whole calls of pytest.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

from tests.stacks import Stack

from .one_test import wait_for_end
from .repository import (
    MEASURED,
    print_row,
    progress,
    rendered,
    run_pytest,
    services_up,
)

PATTERNS = MEASURED / "patterns"
MODULES = 3
STACK: Stack = {
    "framework": "fastapi",
    "database_access": "sync",
    "database": "postgres",
    "cache": "none",
    "broker": "none",
}
ELSEWHERE = {
    "sleep": "a container per module, `sleep(10)`",
    "polled": "a container per module, polled",
    "create_all": "one container, create_all for each test",
    "databases": "pytest-databases, rows deleted after each test",
}
OURS = "ours"
KEPT = "ours, `--keep-services`"
OUR_SESSION = """

@pytest.fixture
def session(db_session):
    return db_session
"""


def write(repository: Path) -> dict[str, list[str]]:
    """Write the suite once for each way, and give what pytest is called with."""
    suite = (PATTERNS / "suite.py").read_text(encoding="utf-8")
    shutil.copy(PATTERNS / "containers.py", repository / "src")
    calls = {}
    for module, way in ELSEWHERE.items():
        folder = repository / module
        folder.mkdir()
        shutil.copy(PATTERNS / f"{module}.py", folder / "conftest.py")
        for number in range(MODULES):
            (folder / f"test_suite_{number}.py").write_text(suite)
        calls[way] = [module]
    calls["pytest-databases, rows deleted after each test"] += [
        "-ppytest_databases._service"
    ]
    modules = [f"tests/integration/test_suite_{number}.py" for number in range(MODULES)]
    for path in modules:
        (repository / path).write_text(suite + OUR_SESSION)
    return {**calls, OURS: modules}


def seconds(repository: Path, arguments: list[str]) -> float | None:
    """Run the suite once; none if a test fails, such as when a sleep was too short."""
    begin = time.perf_counter()
    result = run_pytest(repository, STACK, *arguments)
    taken = time.perf_counter() - begin
    if f"{MODULES * 8} passed" in result.stdout:
        return taken
    print(result.stdout[-3000:], result.stderr[-3000:], file=sys.stderr)
    return None


def main() -> None:
    """Measure all ways in turns, and print medians, and ratios to ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each way (5)")
    options = parser.parse_args()
    times: dict[str, list[float | None]] = defaultdict(list)
    with rendered(STACK) as repository:
        calls = write(repository)
        for _ in progress(range(options.runs), of="patterns"):
            for way, arguments in calls.items():
                times[way].append(seconds(repository, arguments))
                wait_for_end(repository)
        with services_up(repository):
            seconds(repository, calls[OURS])
            for _ in range(options.runs):
                times[KEPT].append(seconds(repository, calls[OURS]))
    ours = statistics.median(filter(None, times[OURS]))
    print_row(
        "way", "whole run, s", "times as long as ours", f"failed of {options.runs}"
    )
    print_row(*["---"] * 4)
    for way, taken in times.items():
        median = statistics.median(filter(None, taken))
        print_row(way, f"{median:.2f}", f"{median / ours:.2f}", taken.count(None))


if __name__ == "__main__":
    main()
