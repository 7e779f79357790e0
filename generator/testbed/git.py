"""Calls of git, with no hook, no prompt and no setting of the user's in the way."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

# What leads git to another repository than that of its folder: git itself sets these
# for hooks and aliases. `git rev-parse --local-env-vars` lists them; what configures
# it (GIT_CONFIG_*) stays.
REPOSITORY_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)


class GitError(Exception):
    """A git command failed; the message has the line that it printed of it."""

    def __init__(self, command: str | Path, printed: bytes) -> None:
        lines = printed.decode(errors="replace").strip().splitlines() or ["failed"]
        told = [line for line in lines if line.startswith(("fatal:", "error:"))]
        super().__init__(f"git {command}: {(told or lines[-1:])[0]}")


def git(
    *arguments: str | Path,
    cwd: Path,
    is_own: bool = False,
    stdin: bytes | None = None,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """What a git command prints, in a folder. Raises GitError when it fails.

    `is_own` is for a bare repository that this command has made: it is the folder.
    """
    result = run_git(
        *arguments, cwd=cwd, is_own=is_own, stdin=stdin, variables=variables
    )
    if result.returncode:
        raise GitError(arguments[0], result.stderr)
    return result.stdout


def run_git(
    *arguments: str | Path,
    cwd: Path,
    is_own: bool = False,
    stdin: bytes | None = None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a git command whose exit code has a meaning of its own."""
    settings = [f"core.hooksPath={os.devnull}"]
    if is_own:
        settings.append(f"core.attributesFile={os.devnull}")
    kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
    return subprocess.run(
        [
            "git",
            *(option for setting in settings for option in ("-c", setting)),
            *(["--git-dir=."] if is_own else []),
            *arguments,
        ],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        # Its words are read here and there, and it must not ask for a password.
        env={**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
        | ({"GIT_ATTR_NOSYSTEM": "1"} if is_own else {})
        | dict(variables or {}),
    )


def git_version() -> tuple[int, int]:
    """Of git itself: its first two numbers."""
    printed = git("version", cwd=Path.cwd()).decode()
    found = re.search(r"(\d+)\.(\d+)", printed)
    assert found, printed
    return int(found[1]), int(found[2])
