"""Rendering the template as it is in the work tree."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import copier
import pytest

ROOT = Path(__file__).parents[1]

Render = Callable[..., Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy without git, as Copier takes the newest tag of a repository."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copy(ROOT / "copier.yml", folder)
    shutil.copytree(ROOT / "template", folder / "template")
    return folder


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render a stack, with defaults for what is not answered, into a folder.

    Where `over` names a repository, into a copy of it: what it has already stays.
    The same answers give the same folder: use it to look only, or copy it.
    """
    folder = tmp_path_factory.mktemp("rendered")
    rendered: dict[str, Path] = {}

    def render(over: Path | None = None, **answers: object) -> Path:
        key = repr((over, sorted(answers.items())))
        if key not in rendered:
            rendered[key] = folder / f"repository{len(rendered)}"
            if over:
                shutil.copytree(over, rendered[key])
            copier.run_copy(
                str(template), rendered[key], data=answers, defaults=True, quiet=True
            )
        return rendered[key]

    return render
