"""Stops the services that test runs started, once the last of these runs has ended.

Managed by Testbed: updates change this file.

It is a process of its own, as a killed run cannot clean up after itself. It waits for
the locks that running test processes hold.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import compose
from .endpoints import SERVICES
from .locks import is_locked, lock, locked, try_lock
from .processes import STATE, forget_ended_processes, process_files

START_LOCK = STATE / "start.lock"
# Exists while `docker compose up` runs, and after one that was killed.
_STARTING = STATE / "starting"
_STARTED = STATE / "started"
# Not `-m`, which would prefer a package `support` in the current folder.
_RUN_REAPER = """
import runpy, sys
sys.path[0] = sys.argv[1]
runpy.run_module("support.reaper", run_name="__main__")
"""
_COMMAND = [sys.executable, "-c", _RUN_REAPER, str(Path(__file__).parents[1])]


def started() -> list[str]:
    """The services that test runs started and have to stop."""
    try:
        return _STARTED.read_text().split()
    except FileNotFoundError:
        return []


@contextmanager
def remembered(services: Iterable[str]) -> Iterator[None]:
    """Start services within: they will be stopped, even if this process is killed.

    Hold START_LOCK to call it.
    """
    _STARTED.write_text("\n".join({*started(), *services}))
    _STARTING.touch()
    start()
    yield
    _STARTING.unlink()


def forget() -> None:
    """Note that nothing is to be stopped; hold START_LOCK to call it."""
    _STARTED.unlink(missing_ok=True)


def start() -> None:
    """Start the reaper, as a process that outlives a kill of all that pytest started.

    It ends at once where another one is waiting already.
    """
    # By way of a process that ends at once, so that pytest has no child to wait for. In
    # a session of its own, as Ctrl-C in this moment must not stop it.
    starter = subprocess.Popen([*_COMMAND, "start"], start_new_session=True)
    if starter.wait():
        raise RuntimeError(f"the reaper did not start, see {STATE}/reaper.log")


def wait_until_stopped() -> None:
    """Wait until the reaper has stopped what was started, unless others run on."""
    end = time.monotonic() + 60
    while started() and time.monotonic() < end:
        if any(map(is_locked, process_files())):
            return
        time.sleep(0.1)


# On Windows a process must be told to outlive the console; elsewhere a session does it.
if sys.platform == "win32":
    _FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    _FLAGS = 0


def _detach() -> None:
    with (STATE / "reaper.log").open("a") as log:
        subprocess.Popen(
            [*_COMMAND, "wait"],
            cwd=STATE,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=_FLAGS,
        )


def wait_for_end(process_file: Path) -> None:
    """Wait until the process that locks this file has ended."""
    try:
        with process_file.open() as file:
            lock(file)
    except FileNotFoundError:
        pass  # another run has found it ended, and removed it


def reap() -> None:
    """Wait for the end of all runs of this checkout, then stop what they started."""
    with (STATE / "reaper.lock").open("a") as only_one:
        if not try_lock(only_one):
            return
        while True:
            for process_file in process_files():
                wait_for_end(process_file)
            if not STATE.exists():  # the checkout was deleted, and what it knew
                compose.stop(SERVICES)
                return
            with locked(START_LOCK):
                if forget_ended_processes():
                    continue  # a run began in the meantime
                _stop_all()
                # Before START_LOCK: whoever gets that next may start a reaper.
                only_one.close()
                return


def _stop_all() -> None:
    if services := started():
        compose.stop(services)
        if _STARTING.exists():
            # The engine may still be making what a killed client has asked it for.
            time.sleep(2)
            compose.stop(services)
            _STARTING.unlink()
    forget()


if __name__ == "__main__":
    {"start": _detach, "wait": reap}[sys.argv[-1]]()
