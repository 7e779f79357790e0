"""File locks that end with the process that holds them, however it ends.

Managed by Testbed: updates change this file. Standard library only: the reaper uses it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: IO[str]) -> bool:
        """Lock an open file for this process alone; False when another one has it."""
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def lock(file: IO[str]) -> None:
        """Lock an open file for this process alone; wait while another one has it."""
        while not try_lock(file):
            time.sleep(0.2)

    _try_shared_lock = try_lock  # Windows has no shared ones

else:
    import fcntl

    def try_lock(file: IO[str]) -> bool:
        """Lock an open file for this process alone; False when another one has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock(file: IO[str]) -> None:
        """Lock an open file for this process alone; wait while another one has it."""
        fcntl.flock(file, fcntl.LOCK_EX)

    def _try_shared_lock(file: IO[str]) -> bool:
        # Shared: two who look at the same time must not take each other for an owner.
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which is made when it is missing."""
    with path.open("a") as file:
        lock(file)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of a file; False when there is no such file."""
    try:
        with path.open("r") as file:
            return not _try_shared_lock(file)
    except FileNotFoundError:
        return False
