"""How long do the rendered tests take, and do they ever fail?

Runs the tests of every stack several times in each of four ways: one after the other,
with -n 2 and -n 4, and in random order. The services are kept up meanwhile. With
--times, a run has every test so many times: a suite that is longer than what it takes
to start processes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.stacks import Stack, covering_stacks, name

from .repository import (
    MEASURED,
    add_stacks,
    print_row,
    progress,
    rendered,
    run_pytest,
    services_up,
)

WAYS: dict[str, list[str]] = {
    "serial": [],
    "`-n 2`": ["-n", "2"],
    "`-n 4`": ["-n", "4"],
    "random order": ["-p", "randomly"],
}


@dataclass
class Run:
    """One run of all tests."""

    passed: bool
    tests: int
    seconds: float


def run(repository: Path, stack: Stack, arguments: list[str]) -> Run:
    """Run the tests; what failed is printed."""
    begin = time.perf_counter()
    result = run_pytest(repository, stack, *arguments)
    seconds = time.perf_counter() - begin
    if result.returncode:
        print(result.stdout[-3000:], file=sys.stderr)
    passed = re.search(r"(\d+) passed", result.stdout)
    return Run(result.returncode == 0, int(passed[1]) if passed else 0, seconds)


def main() -> None:
    """Measure all stacks, and print a Markdown table with a row for each.

    In brackets: how many times as fast as one after the other.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    add_stacks(parser, covering_stacks())
    parser.add_argument("--runs", type=int, default=10, help="of each way (10)")
    parser.add_argument("--times", type=int, help="that a run has every test")
    options = parser.parse_args()
    more = ["-p", "repeated", f"--times={options.times}"] if options.times else []
    failed = f"failed of {len(WAYS) * options.runs}"
    print_row("stack", "tests", *(f"{way}, s" for way in WAYS), failed)
    print_row(*["---"] * (3 + len(WAYS)))
    for stack in options.stacks:
        with rendered(stack) as repository, services_up(repository):
            shutil.copy(MEASURED / "repeated.py", repository / "src")
            runs: dict[str, list[Run]] = {way: [] for way in WAYS}
            for way in progress(list(WAYS) * options.runs, of=name(stack)):
                runs[way].append(run(repository, stack, WAYS[way] + more))
        every = [run for way in WAYS for run in runs[way]]
        medians = [statistics.median(run.seconds for run in runs[way]) for way in WAYS]
        print_row(
            name(stack),
            max(run.tests for run in every),
            f"{medians[0]:.1f}",
            *(f"{each:.1f} ({medians[0] / each:.2f})" for each in medians[1:]),
            sum(not run.passed for run in every),
        )


if __name__ == "__main__":
    main()
