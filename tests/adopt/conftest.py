"""Calls of `testbed adopt` in repositories of the corpus."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Adopt = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def adopt(shared: Path) -> Adopt:
    """Calls the command in a folder; all calls share what is kept of the template."""

    def adopt(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        # As its script, which does not import from the folder that it is called in.
        command = [sys.executable, "-P", "-c", "from testbed.cli import run; run()"]
        return subprocess.run(
            [*command, "adopt", *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "XDG_CACHE_HOME": str(shared / "cache")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    return adopt
