"""Tells in Markdown how a run of pytest went: what failed, and what took longest.

Managed by Testbed: updates change this file. It reads the report that
`pytest --junit-xml` writes, which does not say whether the run came to its end:

    python summary.py reports/junit.xml success
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 10


def summarize(report: Path, outcome: str) -> str:
    """Give the summary of a JUnit report; it may be missing, or cut off."""
    lines = [f"## Integration tests: {outcome}", ""]
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        return "\n".join([*lines, f"pytest has left no report: {error}", ""])
    problems = [
        (case, problem)
        for case in cases
        for problem in (*case.iter("failure"), *case.iter("error"))
    ]
    skipped = sum(case.find("skipped") is not None for case in cases)
    lines += [f"{len(cases)} tests, {len(problems)} failed, {skipped} skipped", ""]
    if problems:
        lines += ["| Failed | |", "| --- | --- |"]
        lines += [
            f"| {code(name(case))} | {code(problem.get('message', ''))} |"
            for case, problem in problems
        ]
        lines += [""]
    lines += ["| Slowest | Seconds |", "| --- | ---: |"]
    lines += [
        f"| {code(name(case))} | {seconds(case):.2f} |"
        for case in sorted(cases, key=seconds, reverse=True)[:SLOWEST]
    ]
    return "\n".join([*lines, ""])


def name(case: ElementTree.Element) -> str:
    """Say which test it is; a module that cannot be imported is of no class."""
    return f"{case.get('classname')}.{case.get('name')}".lstrip(".")


def seconds(case: ElementTree.Element) -> float:
    return float(case.get("time", 0))


def code(text: str) -> str:
    """The first line of a text, as it is, in a table of Markdown."""
    first = text.strip().partition("\n")[0][:200]
    return "`" + first.replace("`", "'").replace("|", r"\|") + "`" if first else ""


if __name__ == "__main__":
    sys.stdout.write(summarize(Path(sys.argv[1]), sys.argv[2]))
