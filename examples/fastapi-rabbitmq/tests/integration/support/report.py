"""What the test bed says of itself: a line before the tests, and a table after them.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass

import pytest

from .endpoints import SERVICES
from .options import is_set
from .processes import ROOT, STATE

_ANSWERS = ROOT / ".copier-answers.yml"
# Set where pytest knows this folder before it begins, and so has shown our header.
_HAS_HEADER = pytest.StashKey[bool]()


def pytest_report_header(config: pytest.Config) -> str:
    """One line on which services the tests use, without asking for any."""
    return f"testbed: {header(config)}"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note that we are here in time for the header; pytest-xdist's workers are, too."""
    session.config.stash[_HAS_HEADER] = True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests marked `slow` have measured, the properties that they record."""
    figures = [
        f"{report.nodeid}: {value} {name}"
        for report in terminalreporter.getreports("passed")
        if "slow" in report.keywords
        for name, value in report.user_properties
    ]
    if figures:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(figures))


def has_header(config: pytest.Config) -> bool:
    """Whether the run has begun with our header."""
    return config.stash.get(_HAS_HEADER, False)


def header(config: pytest.Config) -> str:
    """Say which test bed this is, and how it comes to its services."""
    ours, others = [], []
    for service in SERVICES.values():
        name = os.environ.get(f"{service.name.upper()}_IMAGE") or service.version
        if host := os.environ.get(service.variable("host")):
            # Whoever has put a whole URL there: not the password in it.
            others.append(f"{service.title} at {host.rpartition('@')[2]}")
        else:
            ours.append(f"{service.title} {name}")
    how = "and kept" if is_set(config, "keep_services") else "and stopped"
    parts = _version()
    if ours:
        parts.append(f"{', '.join(ours)}, started on demand {how}")
    if others:
        parts.append(f"{', '.join(others)}, as TEST_*_HOST say")
    return "; ".join(parts)


def _version() -> list[str]:
    """The version of the test bed, where the answers of Copier are there and tell."""
    with suppress(OSError):
        answers = _ANSWERS.read_text(encoding="utf-8")
        return re.findall(r"^_commit: *(\S+)$", answers, re.MULTILINE)
    return []


@dataclass(frozen=True, slots=True)
class Row:
    """What a test process says of a service: that it started it, or that it used it."""

    service: str
    started_in: float | None = None  # seconds
    image: str = ""
    version: str = ""
    address: str = ""
    user: str = ""
    database: str = ""
    external: bool = False
    answered_in: float = 0
    tests: int = 0


def add(run: str, rows: Iterable[Row]) -> list[Row]:
    """Add the rows of a process to those of others of its run; give all of them."""
    with (STATE / f"{run}.report").open("a+", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
        file.seek(0)
        return [Row(**json.loads(line)) for line in file]


def table(rows: Iterable[Row]) -> str:
    """One line for each service, whichever processes used it."""
    by_service: dict[str, list[Row]] = {}
    for row in rows:
        by_service.setdefault(row.service, []).append(row)
    used = (rows for rows in by_service.values() if any(row.address for row in rows))
    lines = [_HEADINGS, *map(_cells, used)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


_HEADINGS = (
    *("service", "image", "version", "address", "user", "database"),
    *("how it came", "answered in", "tests"),
)


def _cells(rows: list[Row]) -> tuple[str, ...]:
    first, *others = (row for row in rows if row.address)
    started = next((row.started_in for row in rows if row.started_in), None)
    found = "external" if first.external else "found"
    return (
        first.service,
        first.image or "-",
        first.version or "-",
        first.address,
        first.user or "-",
        (first.database or "-") + (f" and {len(others)} more" if others else ""),
        f"started in {started:.1f} s" if started else found,
        f"{max(row.answered_in for row in rows):.2f} s",
        str(sum(row.tests for row in rows)),
    )
