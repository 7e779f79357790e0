"""Every combination of stack answers is typed; `make soak` runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .combinations import STACKS
from .test_types import assert_typed


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_every_combination_is_typed(
    render: Callable[..., Path],
    tmp_path: Path,
    subtests: pytest.Subtests,
    framework: str,
) -> None:
    assert_typed(STACKS, framework, render, tmp_path / "repository", subtests)
