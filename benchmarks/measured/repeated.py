"""A plugin of pytest: every test several times."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, help="how often each test is run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.fixturenames.append("turn")
    metafunc.parametrize("turn", range(metafunc.config.getoption("times")))
