"""What `testbed adopt` finds in a repository, and what it leaves to be asked.

`pytest -s tests/adopt/test_facts.py` prints how often each fact is which.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..ordinary_repositories import REPOSITORIES, Ordinary
from ..update.conftest import commit, git, tree
from .conftest import Adopt
from .corpus import ASK, CORPUS, Case

NOTHING = {
    "framework": "fastapi",
    "database": "postgres",
    "cache": "none",
    "broker": "none",
}
# What is there for the bed, and comes with it.
OF_THE_BED = "tests/integration"


@pytest.fixture(scope="module")
def tally() -> Iterator[dict[str, Counter[str]]]:
    """How often each fact was found, asked and wrong; printed at the end."""
    tally: dict[str, Counter[str]] = {}
    yield tally
    columns = ("found", "asked", "wrong")
    print("\n\n" + "fact".ljust(16), *(f"{name:>6}" for name in columns))
    for name, counts in tally.items():
        print(name.ljust(16), *(f"{counts[column]:6}" for column in columns))
    total = sum(tally.values(), Counter[str]())
    print("all".ljust(16), *(f"{total[column]:6}" for column in columns))


def compare(
    expected: dict[str, object], facts: dict[str, dict[str, object]]
) -> dict[str, str]:
    """What became of each fact: found, asked, or wrong."""
    outcome = {}
    for name, answer in expected.items():
        fact = facts[name]
        if not fact["found"]:
            outcome[name] = "asked"
        else:
            outcome[name] = "found" if fact["value"] == answer else "wrong"
    return outcome


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_a_fact_is_right_or_it_is_asked(
    case: Case, adopt: Adopt, tmp_path: Path, tally: dict[str, Counter[str]]
) -> None:
    folder = case.make(tmp_path / case.name)
    before = tree(tmp_path)
    result = adopt(folder, "--dry-run", "--json")
    report = json.loads(result.stdout)
    facts = report["facts"]
    for name, outcome in compare(case.facts, facts).items():
        tally.setdefault(name, Counter())[outcome] += 1
    got = {n: f["value"] if f["found"] else ASK for n, f in facts.items()}
    # What the folder of the checkout is called says something, and nothing for sure.
    assert got == case.facts
    # What cannot be left out is named, and with what answers it.
    assert result.returncode == (1 if report["missing"] else 0), result.stderr
    if report["missing"]:
        (line,) = result.stderr.splitlines()
        assert f"answer it with -d {report['missing'][0]}=" in line
    else:
        assert result.stderr == ""
    assert tree(tmp_path) == before
    for fact in facts.values():
        assert fact["evidence"] or not fact["found"], fact
        for place in fact["evidence"]:
            path = folder / place["file"]
            lines = path.read_text().splitlines() if path.is_file() else []
            assert place["line"] <= max(len(lines), 1), place


@pytest.mark.parametrize("ordinary", REPOSITORIES, ids=lambda each: each.name)
def test_an_ordinary_repository_says_what_it_answers(
    ordinary: Ordinary, adopt: Adopt, tmp_path: Path, tally: dict[str, Counter[str]]
) -> None:
    root = tmp_path / ordinary.name
    # Its integration tests were written on the bed.
    bed = shutil.ignore_patterns("integration")
    shutil.copytree(ordinary.path, root, ignore=bed)
    git(root, "init", "--quiet")
    commit(root, "start")
    before = tree(root)
    result = adopt(root, "--yes", "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    expected: dict[str, object] = {**NOTHING, **ordinary.answers}
    outcome = compare(expected, report["facts"])
    for name, what in outcome.items():
        tally.setdefault(name, Counter())[what] += 1
    assert set(outcome.values()) == {"found"}, report["facts"]
    after = tree(root)
    assert {path: after[path] for path in before} == before
    assert set(report["changes"].values()) == {"added"}
    assert sorted(after.keys() - before.keys()) == sorted(report["changes"])
