"""How long does a render take, through Copier's API, its command, and ours?"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import copier

from .repository import ROOT, render

RUNS = 7


def by_api(destination: Path) -> None:
    """Render in this process."""
    copier.run_copy(str(ROOT), destination, defaults=True, quiet=True, vcs_ref="HEAD")


def by_command(destination: Path) -> None:
    """Render with `copier copy`."""
    copy = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet"]
    subprocess.run(
        [*copy, "--vcs-ref", "HEAD", ROOT, destination], check=True, capture_output=True
    )


def main() -> None:
    """Measure each way several times, in turns, and print medians and ratios."""
    ways: dict[str, Callable[[Path], None]] = {
        "copier's API": by_api,
        "copier copy": by_command,
        "testbed new": lambda destination: render(destination, {}),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(RUNS):
            for name, way in ways.items():
                destination = Path(temporary) / f"{name}-{number}"
                begin = time.perf_counter()
                way(destination)
                seconds[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    fastest = min(medians.values())
    for name, median in medians.items():
        print(f"{name:14} {median:.2f} s, ratio {median / fastest:.2f}")


if __name__ == "__main__":
    main()
