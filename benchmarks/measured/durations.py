"""A plugin of pytest: all tests in turns, and how long each took."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest

# By the name of a test: the seconds of each of its turns.
_seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, help="how often each test is run")
    parser.addoption("--slow-rounds", type=int, help="how often those marked `slow`")
    parser.addoption("--durations-to", type=Path, help="a JSON file to write")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes longer the more tables there are")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds = metafunc.config.getoption("rounds")
    is_slow = metafunc.definition.get_closest_marker("slow")
    step = rounds // metafunc.config.getoption("slow_rounds") if is_slow else 1
    metafunc.fixturenames.append("turn")
    # The first is not counted: it fills caches.
    metafunc.parametrize("turn", range(0, rounds + 1, step))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test once in each turn, in an order that is another each time."""
    random.Random(1).shuffle(items)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    assert isinstance(item, pytest.Function)
    turn = item.callspec.params["turn"]
    assert isinstance(turn, int)
    return turn


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the phases of a test, if it has not measured a part of itself."""
    name, _, turn = report.nodeid.rpartition("::test_")[2].rstrip("]").partition("[")
    _seconds[name][turn] += report.duration
    if report.when == "teardown":
        for _, seconds in report.user_properties:
            _seconds[name][turn] = float(str(seconds))


def pytest_sessionfinish(session: pytest.Session) -> None:
    counted = {
        name: [seconds for turn, seconds in turns.items() if turn != "0"]
        for name, turns in _seconds.items()
    }
    session.config.getoption("durations_to").write_text(json.dumps(counted))
