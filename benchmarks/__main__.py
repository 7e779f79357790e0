"""All benchmarks, one after the other: `python -m benchmarks`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Run each, under a heading of Markdown."""
    with tempfile.TemporaryDirectory() as temporary:
        measured = str(Path(temporary) / "isolation.json")
        for module, *arguments in (
            ("isolation", "--json", measured),
            ("picture", measured),
            ("patterns",),
            ("peer",),
            ("one_test",),
            ("startup",),
            ("suites", "--runs=3", "--times=5"),
            ("render",),
            ("update",),
            ("ci_findings",),
        ):
            print(f"\n## {module}\n", flush=True)
            python = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
            subprocess.run(python, check=True)


if __name__ == "__main__":
    main()
