"""How long do the tests take that fastapi_template renders, and those that we render?

FastAPI, SQLAlchemy, PostgreSQL, Redis and RabbitMQ, on the same servers, which are up;
each is installed in an environment of its own. Whole calls of pytest, and what pytest
counts for a test, set-up and teardown included. Beside the tests that are rendered, one
asks `SELECT 1` many times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.stacks import Stack

from .ci_findings import render_peer
from .repository import (
    compose,
    install,
    print_row,
    progress,
    rendered,
    services_up,
)

PEER = "fastapi_template==6.1.2"
STACK: Stack = {
    "framework": "fastapi",
    "database": "postgres",
    "cache": "redis",
    "broker": "rabbitmq",
}
SELECT = """\
import pytest
from sqlalchemy import text


@pytest.mark.anyio
@pytest.mark.parametrize("number", range(100))
async def test_select({session}, number):
    await {session}.execute(text("SELECT 1"))
"""


@dataclass(frozen=True)
class Suite:
    """The tests of a repository, and `SELECT 1` in its own fixture, which is apart."""

    repository: Path
    python: Path
    tests: str
    select: str
    environment: dict[str, str]

    def run(self, tests: str) -> tuple[float, list[float]]:
        """The seconds of a call of pytest, and those of each of its tests."""
        report = self.repository / "report.xml"
        command = [
            str(self.python),
            "-m",
            "pytest",
            "-q",
            f"--junitxml={report}",
            tests,
        ]
        begin = time.perf_counter()
        result = subprocess.run(
            command,
            cwd=self.repository,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        taken = time.perf_counter() - begin
        if result.returncode:
            sys.exit(result.stdout[-3000:] + result.stderr[-3000:])
        cases = ElementTree.parse(report).iter("testcase")
        return taken, [float(case.attrib["time"]) for case in cases]


def ours(repository: Path) -> Suite:
    """What we render, installed."""
    select = repository / "tests" / "integration" / "select_one.py"
    select.write_text(SELECT.format(session="db_session"))
    return Suite(
        repository=repository,
        python=install(repository),
        tests="tests/integration",
        select=str(select),
        environment={},
    )


def theirs(folder: Path, servers: Path) -> Suite:
    """What they render, installed, with the addresses of the same servers."""
    repository = render_peer(PEER, folder)[0]
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    python = folder / "installed" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder / "installed"], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", *wanted]
    subprocess.run(pip, check=True)
    select = repository / "tests" / "select_one.py"
    select.write_text(SELECT.format(session="dbsession"))
    ports = {"DB": ("postgres", 5432), "REDIS": ("redis", 6379)}
    ports["RABBIT"] = ("rabbitmq", 5672)
    environment = dict.fromkeys(
        ("SHOP_DB_USER", "SHOP_DB_PASS", "SHOP_RABBIT_USER", "SHOP_RABBIT_PASS"), "test"
    )
    for name, (service, port) in ports.items():
        address = compose(servers, "port", service, str(port)).strip()
        host, _, found = address.rpartition(":")
        environment |= {f"SHOP_{name}_HOST": host, f"SHOP_{name}_PORT": found}
    return Suite(
        repository=repository,
        python=python,
        tests="tests",
        select=str(select),
        environment=environment,
    )


def main() -> None:
    """Measure both in turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each (5)")
    options = parser.parse_args()
    calls: dict[str, list[float]] = defaultdict(list)
    tests: dict[str, list[float]] = defaultdict(list)
    selects: dict[str, list[float]] = defaultdict(list)
    with (
        rendered(STACK) as repository,
        services_up(repository),
        tempfile.TemporaryDirectory() as folder,
    ):
        suites = {PEER: theirs(Path(folder), repository), "ours": ours(repository)}
        for _ in progress(range(options.runs + 1), of="peer"):
            for name, suite in suites.items():
                taken, tests[name] = suite.run(suite.tests)
                calls[name].append(taken)
                selects[name].append(statistics.median(suite.run(suite.select)[1]))
    print_row("tests of", "number", "whole call, s", "a test, ms", "`SELECT 1`, ms")
    print_row(*["---"] * 5)
    for name in suites:
        print_row(
            name,
            len(tests[name]),
            # The first is not counted: it fills caches.
            f"{statistics.median(calls[name][1:]):.2f}",
            f"{statistics.median(tests[name]) * 1000:.1f}",
            f"{statistics.median(selects[name][1:]) * 1000:.1f}",
        )


if __name__ == "__main__":
    main()
