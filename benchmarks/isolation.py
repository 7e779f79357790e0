"""What does isolating a test cost, beside the same statements and beside create_all?

In a repository of each stack, a file of measured/ holds tests that all do the same,
SELECT 1, and are isolated in different ways, which their docstrings tell. Every round
runs each of them once, in another order. Compared are the medians of pytest's times for
them, with set-up and teardown, in databases with few tables and with many.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from tests.stacks import Stack, name

from .repository import (
    MEASURED,
    add_stacks,
    in_words_of,
    is_django,
    print_row,
    progress,
    rendered,
    run_pytest,
    services_up,
)

CODE: list[Stack] = [
    {"framework": "fastapi", "database_access": "async"},
    {"framework": "fastapi", "database_access": "sync"},
    {"framework": "flask"},
    {"framework": "django"},
]
STACKS: list[Stack] = [
    {**code, "database": database}
    for code, database in itertools.product(CODE, ["postgres", "mysql"])
]
HEADINGS = {
    "round_trip": "`SELECT 1`",
    "nothing": "no database",
    "recipe": "recipe",
    "same_statements": "same statements",
    "fixture": "our fixture",
    "commits": "our `commits`",
    "fresh_database": "our `fresh_database`",
    "create_all": "create_all",
    "flush": "Django's flush",
}

# What is compared with what, and the aim.
RATIOS = {
    "fixture : same statements": ("fixture", "same_statements", "at most 1.2"),
    "commits : fixture": ("commits", "fixture", ""),
    "fresh_database : fixture": ("fresh_database", "fixture", ""),
    "create_all : fixture": ("create_all", "fixture", "at least 40 from 60 tables"),
    "flush : fixture": ("flush", "fixture", ""),
}


class Row(NamedTuple):
    """What was measured in a stack with a number of tables: medians."""

    stack: str
    tables: int
    milliseconds: dict[str, float]


def measure(
    stack: Stack, tables: list[int], rounds: int, runs: int
) -> dict[int, dict[str, float]]:
    """Give the medians of all kinds of tests in a stack, in ms, by number of tables."""
    seconds: dict[int, dict[str, list[float]]] = {
        number: defaultdict(list) for number in tables
    }
    stack = {**stack, "cache": "none", "broker": "none"}
    with rendered(stack) as repository, services_up(repository):
        layer = "django" if is_django(stack) else "sqlalchemy"
        tests = (MEASURED / f"with_{layer}.py").read_text(encoding="utf-8")
        file = repository / "tests" / "integration" / "test_benchmark.py"
        file.write_text(in_words_of(repository, tests), encoding="utf-8")
        shutil.copy(MEASURED / "durations.py", repository / "src")
        (first,) = (repository / "src" / "shop" / "migrations").rglob("0001_*.py")
        more_tables = (MEASURED / f"more_tables_{layer}.py").read_text(encoding="utf-8")
        for number in tables * runs:
            slow_rounds = min(rounds, max(2, 2 * rounds // number))
            first.with_name("0002_more_tables.py").write_text(
                more_tables.replace("TABLES = 0", f"TABLES = {number}")
            )
            result = run_pytest(
                repository,
                stack,
                *("-p", "durations", "--durations-to", "durations.json"),
                f"--rounds={rounds}",
                f"--slow-rounds={slow_rounds}",
                str(file),
            )
            if result.returncode:
                sys.exit(
                    f"{name(stack)}:\n{result.stdout[-3000:]}{result.stderr[-3000:]}"
                )
            measured = json.loads((repository / "durations.json").read_text())
            for kind, times in measured.items():
                seconds[number][kind] += times
    return {
        number: {
            kind: statistics.median(times[kind]) * 1000
            for kind in HEADINGS
            if kind in times
        }
        for number, times in seconds.items()
    }


def main() -> None:
    """Measure the stacks one after the other, and print medians in ms, and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_stacks(parser, STACKS)
    parser.add_argument(
        "--tables",
        nargs="+",
        type=int,
        default=[8, 60, 300],
        help="in the database, the application's own 4 included, Django's 8 (8 60 300)",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=50,
        help="of tests, in each run (50); of those whose time grows with the number"
        " of tables, fewer where these are many",
    )
    parser.add_argument(
        "--runs", type=int, default=4, help="with each number of tables, in turns (4)"
    )
    parser.add_argument("--json", type=Path, help="a file to write, for picture.py")
    options = parser.parse_args()
    rows: list[Row] = []
    print_row("stack", "tables", *HEADINGS.values())
    print_row(*["---"] * (2 + len(HEADINGS)))
    for stack in progress(options.stacks, of="isolation"):
        medians = measure(stack, sorted(options.tables), options.rounds, options.runs)
        for tables, milliseconds in medians.items():
            rows.append(Row(name(stack), tables, milliseconds))
            cells = (
                f"{milliseconds[kind]:.2f}" if kind in milliseconds else ""
                for kind in HEADINGS
            )
            print_row(name(stack), tables, *cells)
    if options.json:
        options.json.write_text(json.dumps([row._asdict() for row in rows], indent=1))
    print_ratios(rows)


def print_ratios(rows: list[Row]) -> None:
    """Print what is compared, and the aims."""
    print()
    print_row("stack", "tables", *RATIOS, "fixture : with the fewest tables")
    print_row(*["---"] * (3 + len(RATIOS)))
    aims = (aim for _, _, aim in RATIOS.values())
    print_row("aim", "", *aims, "at most 1.2")
    for row in rows:
        fewest = next(each for each in rows if each.stack == row.stack)
        growth = row.milliseconds["fixture"] / fewest.milliseconds["fixture"]
        ratios = (
            f"{row.milliseconds[kind] / row.milliseconds[of]:.2f}"
            if kind in row.milliseconds
            else ""
            for kind, of, _ in RATIOS.values()
        )
        print_row(row.stack, row.tables, *ratios, f"{growth:.2f}")


if __name__ == "__main__":
    main()
