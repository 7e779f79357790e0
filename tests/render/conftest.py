"""How many hostile answers were tried, in the summary of a run."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    total: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, counts in report.user_properties:
            if name == "hostile answers" and report.when == "call":
                total.update(counts)
    if total:
        terminalreporter.write_line(
            f"hostile answers: {total.total()} tried,"
            f" {total['refused']} refused, {total['rendered']} rendered"
        )
