"""Rendering the template as it is in the work tree."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import copier
import pytest
from testbed.rendering import quick_copier

ROOT = Path(__file__).parents[1]

Render = Callable[..., Path]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, which all workers have."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def move(folder: Path, target: Path) -> None:
    """Put a finished folder in its place, if another worker was not faster."""
    target.parent.mkdir(exist_ok=True)
    try:
        folder.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy without git, as Copier takes the newest tag of a repository."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copy(ROOT / "copier.yml", folder)
    shutil.copytree(ROOT / "template", folder / "template")
    move(folder, shared / "template")
    return shared / "template"


@pytest.fixture(scope="session")
def render(
    template: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Render:
    """Render a stack, with defaults for what is not answered, into a folder.

    Where `over` names a repository, into a copy of it: what it has already stays.
    The same answers give the same folder: use it to look only, or copy it.
    """

    def render(over: Path | None = None, **answers: object) -> Path:
        key = repr((over, sorted(answers.items())))
        rendered = shared / "rendered" / hashlib.sha256(key.encode()).hexdigest()[:16]
        if not rendered.exists():
            folder = tmp_path_factory.mktemp("rendering") / "repository"
            if over:
                shutil.copytree(over, folder)
            with quick_copier(shared / "compiled"):
                copier.run_copy(
                    str(template), folder, data=answers, defaults=True, quiet=True
                )
            move(folder, rendered)
        return rendered

    return render
