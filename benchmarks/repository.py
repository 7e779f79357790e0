"""A rendered repository to measure in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def render(destination: Path, *data: str) -> None:
    """Render the work tree with `testbed new`."""
    testbed = [sys.executable, "-c", "from testbed.cli import run; run()"]
    options = [part for item in data for part in ("--data", item)]
    subprocess.run(
        [*testbed, "new", destination, "--defaults", *options],
        check=True,
        stdout=subprocess.DEVNULL,
    )
