"""Every way in which a test run, or what it runs on, can end before its time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from .conftest import Repository

Run = subprocess.Popen[str]
End = Callable[[Repository, Run], None]


def _signal_group(run: Run, number: signal.Signals) -> None:
    """Signal the run and its workers, as a terminal does with Ctrl-C."""
    if run.poll() is None:
        os.killpg(run.pid, number)


def interrupt(repository: Repository, run: Run) -> None:
    """Ctrl-C."""
    _signal_group(run, signal.SIGINT)


def interrupt_twice(repository: Repository, run: Run) -> None:
    """Ctrl-C, and again while it cleans up."""
    _signal_group(run, signal.SIGINT)
    time.sleep(0.1)
    _signal_group(run, signal.SIGINT)


def terminate(repository: Repository, run: Run) -> None:
    """What a CI system sends first."""
    _signal_group(run, signal.SIGTERM)


def kill(repository: Repository, run: Run) -> None:
    """What it sends next, and what a kernel does that lacks memory."""
    _signal_group(run, signal.SIGKILL)


def kill_a_worker(repository: Repository, run: Run) -> None:
    """Kill one worker of pytest-xdist, or the run where it has none."""
    children = ["pgrep", "--parent", str(run.pid)]
    found = subprocess.run(children, capture_output=True, text=True).stdout.split()
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.kill(int(found[0]) if found else run.pid, signal.SIGKILL)


def on_a_container(command: str, service: str = "postgres") -> End:
    """A docker command on the container of a service."""

    def end(repository: Repository, run: Run) -> None:
        if container := repository.containers().get(service):
            arguments = ["docker", *command.split(), container]
            subprocess.run(arguments, capture_output=True)

    end.__name__ = f"{command.split()[0]}_{service}"
    return end


def pause_a_container(repository: Repository, run: Run) -> None:
    """Tests wait for ever for a paused server, until somebody ends the run."""
    on_a_container("pause")(repository, run)
    time.sleep(1)
    kill(repository, run)


ENDS: list[End] = [
    interrupt,
    interrupt_twice,
    terminate,
    kill,
    kill_a_worker,
    on_a_container("kill"),
    on_a_container("restart --time 0"),
    on_a_container("rm --force"),
    pause_a_container,
]


SLEEP = """\
import time
from pathlib import Path

import pytest

from .support.postgres import connect


@pytest.mark.commits
@pytest.mark.parametrize("number", range(2))
def test_sleeps(application, database, number):
    Path(f"asleep-{number}").touch()
    deadline = time.monotonic() + 60
    with connect(database) as own:
        while not Path("wake").exists() and time.monotonic() < deadline:
            own.execute("SELECT 1")
            time.sleep(0.1)
"""


def start_sleeping(repository: Repository, workers: int, **variables: str) -> Run:
    """Start a run of SLEEP; its tests have begun, and have all that they ask for."""
    module = repository.add_test("sleep", SLEEP)
    run = repository.start_pytest(module, "-n", str(workers), **variables)
    deadline = time.monotonic() + 120
    while len(list(repository.path.glob("asleep-*"))) < max(workers, 1):
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return run


def wake(repository: Repository, run: Run) -> str:
    """Let what is left of the run end by itself; give what it printed."""
    (repository.path / "wake").touch()
    output, _ = run.communicate(timeout=120)
    for name in ("wake", "asleep-0", "asleep-1", "tests/integration/test_sleep.py"):
        (repository.path / name).unlink(missing_ok=True)
    return output
