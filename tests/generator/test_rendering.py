"""What makes Copier quick changes nothing of what it renders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import copier
import pytest
from copier.errors import CopierError
from testbed.rendering import quick_copier

from ..update.conftest import tree


def rendered(template: Path, folder: Path, answers: dict[str, Any]) -> object:
    """The tree that Copier renders, or what it says against the answers."""
    try:
        copier.run_copy(str(template), folder, data=answers, defaults=True, quiet=True)
    except (CopierError, ValueError, TypeError) as error:
        return str(error)
    return tree(folder)


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"framework": "flask", "database": "mysql", "broker": "kafka"},
        {"framework": "django", "cache": "none", "versions": "{postgres: 17}"},
        {"project_name": "{{ 7 * 7 }}"},
        {"versions": "!"},
        {"ci_shards": "1\t"},
    ],
    ids=repr,
)
def test_with_and_without_it_the_same_is_rendered(
    template: Path, tmp_path: Path, answers: dict[str, Any]
) -> None:
    expected = rendered(template, tmp_path / "plain", answers)
    with quick_copier(tmp_path / "compiled"):
        first = rendered(template, tmp_path / "first", answers)
        again = rendered(template, tmp_path / "again", answers)
    assert first == again == expected


def test_it_leaves_copier_as_it_was(template: Path, tmp_path: Path) -> None:
    with quick_copier(tmp_path / "compiled"):
        rendered(template, tmp_path / "quick", {})
    compiled = sorted((tmp_path / "compiled").iterdir())
    rendered(template, tmp_path / "plain", {"framework": "flask"})
    assert sorted((tmp_path / "compiled").iterdir()) == compiled
