"""Who is running: this test process, its name on every server, and the others.

Managed by Testbed: updates change this file. Standard library only: the reaper uses it.

Every process holds the lock of a file of its own, named like everything that it makes
on a server. So what a killed process left behind can be told from what a living one
uses.
"""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO

from .locks import is_locked, locked, try_lock

ROOT = Path(__file__).resolve().parents[3]

# In the checkout, as all who run its tests must find the same locks: as another user,
# with another TMPDIR.
_FOLDER = ROOT / ".testbed"


def _token() -> str:
    """Chance, made once: machines may share a name, and their checkouts a path."""
    _FOLDER.mkdir(exist_ok=True)
    file = _FOLDER / "token"
    with locked(_FOLDER / "token.lock"):
        if not file.exists():
            (_FOLDER / ".gitignore").write_text("*\n")
            file.write_text(uuid.uuid4().hex)
        return file.read_text()


# Two checkouts, or two machines that share a server, must never meet. One checkout that
# a machine and a container see is two, as neither sees the processes of the other.
_IDENTITY = f"{socket.gethostname()}:{ROOT}:{_token()}"
CHECKOUT = hashlib.sha256(_IDENTITY.encode()).hexdigest()[:6]

STATE = _FOLDER / CHECKOUT
STATE.mkdir(exist_ok=True)

# Compose would take the name from the file, which is the same in every checkout.
PROJECT = f"shop-test-{CHECKOUT}"

# A database that outlasts its run begins with this; see template_database.py.
KEPT_TEMPLATE = f"test_{CHECKOUT}_template"


class Process:
    """This test process: one of a run's pytest-xdist workers, or the run itself.

    `name` (`test_<checkout>_<run>_<worker>`) is that of its database and the like;
    `is_first` tells whether no other process of the run has been announced before.
    """

    def __init__(self) -> None:
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
        self.run = f"test_{CHECKOUT}_{hashlib.sha256(run.encode()).hexdigest()[:6]}"
        self.name = f"{self.run}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
        self.is_first = False
        self._lock: IO[str] | None = None

    def announce(self) -> None:
        """Take this process's lock; call it with the start lock held.

        However the process ends, its lock ends with it.
        """
        self.is_first = not self.companions()
        while self._lock is None:
            file = (STATE / f"{self.name}.process").open("a")
            if try_lock(file):
                self._lock = file
            else:
                # A worker's test runs pytest, which takes itself for that worker.
                file.close()
                self.name += "x"

    def companions(self) -> list[Path]:
        """The files of the other processes of this run that are running now."""
        own = STATE / f"{self.name}.process"
        files = STATE.glob(f"{self.run}_*.process")
        return [file for file in files if file != own and is_locked(file)]

    def leave(self) -> None:
        """Let the lock go."""
        if self._lock:
            self._lock.close()
            _remove(Path(self._lock.name))


def _remove(path: Path) -> None:
    # Windows keeps a file that another process is looking at, and that one removes it.
    with suppress(PermissionError):
        path.unlink(missing_ok=True)


def process_files() -> list[Path]:
    """The files of all processes of this checkout, running or not."""
    return sorted(STATE.glob("*.process"))


def forget_ended_processes() -> list[Path]:
    """Remove the files of ended processes, and give those of the running ones.

    Call it with the start lock held: a process makes its file before it locks it.
    """
    for report in STATE.glob("*.report"):
        if is_abandoned(report.stem):
            _remove(report)
    running = []
    for path in process_files():
        if is_locked(path):
            running.append(path)
        else:
            _remove(path)
    return running


def is_abandoned(name: str) -> bool:
    """Whether a database or the like belongs to a run that has ended.

    Only what this checkout made is ever called abandoned. A crashed worker of a running
    run counts as running.
    """
    checkout = f"test_{CHECKOUT}_"
    if not name.startswith(checkout) or name.startswith(KEPT_TEMPLATE):
        return False
    run = checkout + name.removeprefix(checkout).split("_")[0]
    return not any(is_locked(path) for path in STATE.glob(f"{run}_*.process"))
