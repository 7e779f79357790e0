"""Calls of git, with no hook, no prompt and no setting of the user's in the way."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path


class GitError(Exception):
    """A git command failed; the message has the last line that it printed."""

    def __init__(self, command: str | Path, printed: bytes) -> None:
        lines = printed.decode(errors="replace").strip().splitlines()
        super().__init__(f"git {command}: {lines[-1] if lines else 'failed'}")


def git(
    *arguments: str | Path,
    cwd: Path,
    stdin: bytes | None = None,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """What a git command prints, in a folder. Raises GitError when it fails."""
    result = run_git(*arguments, cwd=cwd, stdin=stdin, variables=variables)
    if result.returncode:
        raise GitError(arguments[0], result.stderr)
    return result.stdout


def run_git(
    *arguments: str | Path,
    cwd: Path,
    stdin: bytes | None = None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a git command whose exit code has a meaning of its own."""
    return subprocess.run(
        ["git", "-c", f"core.hooksPath={os.devnull}", *arguments],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        # Its words are read here and there, and it must not ask for a password.
        env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
        | dict(variables or {}),
    )


def git_version() -> tuple[int, int]:
    """Of git itself: its first two numbers."""
    printed = git("version", cwd=Path.cwd()).decode()
    found = re.search(r"(\d+)\.(\d+)", printed)
    assert found, printed
    return int(found[1]), int(found[2])
