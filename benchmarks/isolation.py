"""What does isolating a test cost, beside the same statements and beside create_all?

In a repository of each stack, a file of measured/ holds tests that all do the same,
SELECT 1, and are isolated in different ways, which their docstrings tell. Every round
runs each of them once, in another order. Compared are the medians of pytest's times for
them, with set-up and teardown.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import statistics
import sys
from pathlib import Path

import yaml

from tests.stacks import Stack, name

from .repository import (
    ROOT,
    add_stacks,
    is_django,
    print_row,
    progress,
    rendered,
    run_pytest,
)

MEASURED = Path(__file__).parent / "measured"
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
    "create_all": "create_all",
    "flush": "Django's flush",
}


def in_sync_words(tests: str) -> str:
    """What asynchronous tests are called in synchronous code."""
    words = yaml.safe_load((ROOT / "template" / "sync_words.yml").read_text())
    words.insert(0, {"async": r"(\w+)\.run_sync\((.+)\)", "sync": r"\2(\1)"})
    for word in words:
        tests = re.sub(word["async"], word["sync"], tests)
    return tests


def measure(stack: Stack, rounds: int, more_tables: int) -> dict[str, float]:
    """Give the medians, in milliseconds, of all kinds of tests in a stack."""
    layer = "django" if is_django(stack) else "sqlalchemy"
    module = MEASURED / f"with_{layer}.py"
    tests = module.read_text(encoding="utf-8")
    with rendered({**stack, "cache": "none", "broker": "none"}) as repository:
        answers = yaml.safe_load((repository / ".copier-answers.yml").read_text())
        if answers.get("database_access", "sync") == "sync":
            tests = in_sync_words(tests)
        file = repository / "tests" / "integration" / "test_benchmark.py"
        file.write_text(tests, encoding="utf-8")
        shutil.copy(MEASURED / "durations.py", repository / "src")
        result = run_pytest(
            repository,
            stack,
            *("-p", "durations", "--durations-to", "durations.json"),
            *(f"--rounds={rounds}", f"--more-tables={more_tables}"),
            str(file),
        )
        if result.returncode:
            sys.exit(f"{name(stack)}:\n{result.stdout[-3000:]}{result.stderr[-3000:]}")
        seconds = json.loads((repository / "durations.json").read_text())
    return {
        kind: statistics.median(seconds[kind]) * 1000
        for kind in HEADINGS
        if kind in seconds
    }


def main() -> None:
    """Measure the stacks one after the other, and print a table of medians in ms.

    In brackets: times the same statements; for create_all and flush, times our fixture.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    add_stacks(parser, STACKS)
    parser.add_argument("--rounds", type=int, default=200, help="of tests (200)")
    parser.add_argument(
        "--more-tables", type=int, default=0, help="than the application's four (0)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    options = parser.parse_args()
    measured = [
        (stack, measure(stack, options.rounds, options.more_tables))
        for stack in progress(options.stacks, of="isolation")
    ]
    if options.json:
        print(json.dumps([{"stack": s, "milliseconds": m} for s, m in measured]))
        return
    print_row("stack", *HEADINGS.values())
    print_row(*["---"] * (1 + len(HEADINGS)))
    for stack, medians in measured:
        print_row(name(stack), *(cell(kind, medians) for kind in HEADINGS))


def cell(kind: str, medians: dict[str, float]) -> str:
    """What the table says of a kind of tests."""
    if kind not in medians:
        return ""
    if kind in {"create_all", "flush"}:
        ratio = f" ({medians[kind] / medians['fixture']:.1f})"
    elif kind in {"fixture", "commits"}:
        ratio = f" ({medians[kind] / medians['same_statements']:.2f})"
    else:
        ratio = ""
    return f"{medians[kind]:.2f}{ratio}"


if __name__ == "__main__":
    main()
