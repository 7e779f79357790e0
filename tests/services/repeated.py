"""A pytest plugin: every test comes REPEAT times in one run."""

from __future__ import annotations

import os

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Add a parameter that nothing looks at."""
    metafunc.fixturenames.append("repetition")
    metafunc.parametrize("repetition", range(int(os.environ["REPEAT"])))
