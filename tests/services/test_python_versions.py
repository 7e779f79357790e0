"""The rendered tests pass on every Python, installed as their README tells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ..stacks import Stack
from .conftest import MakeRepository

# Everything else runs on the oldest. Django 6 needs at least 3.12.
STACKS: dict[str, Stack] = {
    "3.12": {"framework": "django", "database": "mysql", "broker": "rabbitmq"},
    "3.13": {"framework": "fastapi", "database": "postgres", "broker": "kafka"},
    "3.14": {"framework": "flask", "database": "mysql", "cache": "valkey"},
}


def is_installed(version: str) -> bool:
    python = shutil.which(f"python{version}")
    # It may be no more than a script of pyenv's, which says that it is not.
    return python is not None and not subprocess.run([python, "-c", ""]).returncode


@pytest.mark.parametrize("version", STACKS)
def test_passes_after_the_readmes_own_commands(
    make_repository: MakeRepository, tmp_path: Path, version: str
) -> None:
    if not is_installed(version):
        pytest.skip(f"python{version} is not installed")
    repository = make_repository(**STACKS[version])
    readme = repository.path / "tests" / "integration" / "README.md"
    install = re.search(r"\| pip \| `(.*)` \|", readme.read_text(encoding="utf-8"))
    assert install
    environment = tmp_path / "environment"
    subprocess.run([f"python{version}", "-m", "venv", environment], check=True)
    subprocess.run(
        install[1].replace("pip install", "pip install --quiet"),
        shell=True,
        check=True,
        cwd=repository.path,
        env=os.environ | {"PATH": f"{environment}/bin:{os.environ['PATH']}"},
    )

    repository.python = str(environment / "bin" / "python")
    repository.plugins.clear()
    plain = {"PYTHONPATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}
    result = repository.pytest("-n", "2", **plain)

    assert result.code == 0, result.output
    assert result.counts.keys() <= {"passed", "deselected"}, result.output
    assert f"Python {version}." in result.output
