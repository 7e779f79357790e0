"""What is committed in examples/ is what the template renders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "scripts" / "examples"


def test_the_examples_are_not_stale() -> None:
    check = [sys.executable, EXAMPLES, "--check"]
    result = subprocess.run(check, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
