"""What is proved once by the other tests, thousands of times; `make soak` runs it.

REPEAT (how often every isolation test comes in a run), ENDS (how many runs are ended at
random) and SEED change it. It stops at the first failure, and prints its counts.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from .conftest import MakeRepository, Repository
from .ends import ENDS, on_a_container

REPEAT = int(os.environ.get("REPEAT", "100"))
RUNS = int(os.environ.get("ENDS", "300"))
SEED = int(os.environ.get("SEED", str(random.randrange(10**6))))

KEEP = {"TEST_KEEP_SERVICES": "1"}
BROKERS = ["rabbitmq", "kafka"]


def say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{time.strftime('%H:%M:%S')} {text}", end="", flush=True)


@pytest.mark.parametrize("broker", BROKERS)
@pytest.mark.parametrize("workers", ["0", "4"])
def test_no_test_sees_another(
    make_repository: MakeRepository,
    capsys: pytest.CaptureFixture[str],
    broker: str,
    workers: str,
) -> None:
    repository = make_repository(broker=broker)
    names = ("isolation", "database", "redis", broker, "order_workflow")
    modules = [f"tests/integration/test_{name}.py" for name in names]
    plugins = ["-p", "randomly", "-p", "repeated", "-n", workers]
    path = f"{repository.environment['PYTHONPATH']}:{Path(__file__).parent}"
    result = repository.pytest(
        *plugins, *modules, **KEEP, PYTHONPATH=path, REPEAT=str(REPEAT)
    )
    assert result.code == 0, result.output
    assert not any(repository.leftovers().values())
    say(capsys, f"{broker}, -n {workers}: {result.counts['passed']} passed, 0 failed")


@pytest.mark.parametrize("broker", BROKERS)
def test_random_ends_leave_nothing(
    make_repository: MakeRepository, capsys: pytest.CaptureFixture[str], broker: str
) -> None:
    chance = random.Random(f"{SEED} {broker}")
    say(capsys, f"{broker}: {RUNS} random ends, SEED={SEED} ")
    repository = make_repository(broker=broker)
    ends = ENDS + [
        on_a_container(command, service)
        for command in ("kill", "restart --time 0", "rm --force")
        for service in ("redis", broker)
    ]
    counts = Counter[str]()
    for number in range(1, RUNS + 1):
        end = chance.choice(ends)
        # One in four runs starts and stops its services itself.
        keep = KEEP if chance.random() < 0.75 else {}
        if not keep:
            repository.remove_containers()
        arguments = ["tests/integration", "-n", chance.choice(["0", "2"])]
        run = repository.start_pytest(*arguments, **keep)
        # At any moment from the start of the interpreter to the end of the run.
        time.sleep(chance.uniform(0.2, 8.0 if keep else 16.0))
        ended = "had ended" if run.poll() is not None else end.__name__
        end(repository, run)
        try:
            output, _ = run.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGABRT)  # faulthandler shows where
            pytest.fail(f"{ended}: the run does not end\n{run.communicate()[0]}")
        assert_nothing_stays(repository, keep, f"{ended} after:\n{output}")
        counts[ended] += 1
        if number % 20 == 0 or number == RUNS:
            so_far = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            say(capsys, f"{broker}: {number} of {RUNS}, leftovers: 0 ({so_far})")


def assert_nothing_stays(
    repository: Repository, keep: dict[str, str], why: str
) -> None:
    """The next run is green, and after it nothing is left."""
    if not keep:
        repository.wait_until_nothing_is_left(120)
    result = repository.pytest("tests/integration", **keep)
    assert result.code == 0, f"{why}\n\nThe next run:\n{result.output}"
    if keep:
        # Kafka takes a killed member of a group for gone when its session ends, after
        # 10 s; and looks every second for groups to remove.
        deadline = time.monotonic() + 15
        while left := {k: v for k, v in repository.leftovers().items() if v}:
            assert left.keys() == {"kafka"}, f"{left}\n{why}"
            assert time.monotonic() < deadline, f"{left}\n{why}"
            time.sleep(0.2)
    else:
        repository.wait_until_nothing_is_left(120)
