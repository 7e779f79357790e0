"""However a run ends: nothing of it stays, the cause is named, the next is green."""

from __future__ import annotations

import re
import shutil
import time

import pytest

from .conftest import MakeRepository, Repository
from .ends import ENDS, End, interrupt, on_a_container, start_sleeping, wake

KEEP = {"TEST_KEEP_SERVICES": "1"}
LIFECYCLE = "tests/integration/support/lifecycle.py"


@pytest.fixture
def repository(make_repository: MakeRepository) -> Repository:
    return make_repository(broker="none")


def assert_the_next_run_is_green(repository: Repository, **variables: str) -> None:
    modules = [f"tests/integration/test_{name}.py" for name in ("isolation", "redis")]
    result = repository.pytest(*modules, **variables)
    assert result.code == 0, result.output


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_nothing_is_left_and_the_next_run_is_green(
    repository: Repository, end: End, workers: int
) -> None:
    run = start_sleeping(repository, workers)
    end(repository, run)
    wake(repository, run)
    repository.wait_until_nothing_is_left(60)
    assert_the_next_run_is_green(repository)


def test_nothing_is_left_of_a_checkout_that_is_deleted(repository: Repository) -> None:
    run = start_sleeping(repository, 0)
    shutil.rmtree(repository.path)
    interrupt(repository, run)
    run.communicate()
    repository.wait_until_nothing_is_left(60)


@pytest.mark.parametrize("broker", ["rabbitmq", "kafka"])
def test_on_kept_services_nothing_is_left_after_the_next_run(
    make_repository: MakeRepository, broker: str
) -> None:
    repository = make_repository(broker=broker)
    names = ("isolation", "redis", broker)
    modules = [f"tests/integration/test_{name}.py" for name in names]
    for end in ENDS:
        run = start_sleeping(repository, 2, **KEEP)
        end(repository, run)
        wake(repository, run)
        result = repository.pytest(*modules, **KEEP)
        assert result.code == 0, (end.__name__, result.output)
        assert not any(repository.leftovers().values()), end.__name__


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("kill", "its container ended with exit code 137"),
        ("restart --time 0", "its container (was started again|ended with exit code)"),
        ("rm --force", "its container is gone"),
    ],
)
def test_a_lost_container_is_named_with_its_log_and_ends_the_run(
    repository: Repository, command: str, cause: str
) -> None:
    run = start_sleeping(repository, 0)
    on_a_container(command)(repository, run)
    output = wake(repository, run)
    assert "PostgreSQL was lost during the run" in output
    assert re.search(cause, output)
    assert "1 failed" in output.splitlines()[-1]  # the second test did not begin
    assert ("PostgreSQL log" in output) == (command != "rm --force")


def test_a_paused_container_is_named_while_the_test_waits(
    repository: Repository,
) -> None:
    lifecycle = repository.path / LIFECYCLE
    text = lifecycle.read_text()
    assert "WATCH_EVERY = 15.0" in text
    lifecycle.write_text(text.replace("WATCH_EVERY = 15.0", "WATCH_EVERY = 0.5"))
    run = start_sleeping(repository, 0)
    on_a_container("pause")(repository, run)
    assert run.stdout
    for line in run.stdout:
        if "PostgreSQL is lost: its container is paused" in line:
            break
    on_a_container("unpause")(repository, run)
    output = wake(repository, run)
    assert run.returncode == 0, output  # nothing had gone wrong for the test


def test_ctrl_c_ends_a_run_whose_application_has_worker_threads(
    repository: Repository,
) -> None:
    body = """\
import time
from pathlib import Path

import anyio
import pytest

pytestmark = pytest.mark.anyio


async def test_waits(client):
    await anyio.to_thread.run_sync(Path("asleep-0").touch)
    time.sleep(60)  # Ctrl-C reaches the code of the test itself
"""
    run = repository.start_pytest(repository.add_test("threads", body))
    while not (repository.path / "asleep-0").exists():
        assert run.poll() is None
        time.sleep(0.1)
    interrupt(repository, run)
    output, _ = run.communicate(timeout=30)
    assert "KeyboardInterrupt" in output
    repository.wait_until_nothing_is_left(60)


def test_a_timeout_that_ends_the_process_leaves_nothing(repository: Repository) -> None:
    # As pytest-timeout does it, where signals cannot.
    body = "import os\n\ndef test_ends(database, cache):\n    os._exit(1)\n"
    result = repository.pytest(repository.add_test("ends", body))
    assert result.code == 1
    repository.wait_until_nothing_is_left(60)
    assert_the_next_run_is_green(repository)


def test_a_full_disk_is_named_and_gone_with_the_run(repository: Repository) -> None:
    body = """\
import subprocess

import pytest
from sqlalchemy import text

from .support.lifecycle import Services

pytestmark = pytest.mark.anyio


async def test_fills_the_disk(db_session, services: Services):
    postgres = services.containers["postgres"]
    fill = "head -c 2G /dev/zero > $PGDATA/filler"
    compose = ["docker", "compose", "-p", postgres.project]
    subprocess.run([*compose, "exec", "-T", "postgres", "sh", "-c", fill])
    table = text("CREATE TABLE wide AS SELECT generate_series(1, 99999)")
    await db_session.execute(table)
"""
    result = repository.pytest(repository.add_test("disk", body))
    assert result.code == 1
    assert "No space left on device" in result.output
    repository.wait_until_nothing_is_left(60)
    assert_the_next_run_is_green(repository)


def test_a_server_that_uses_all_its_memory_is_named(repository: Repository) -> None:
    compose_file = repository.path / "docker-compose.test.yml"
    text = compose_file.read_text()
    assert "mem_limit: 2g" in text
    compose_file.write_text(text.replace("mem_limit: 2g", "mem_limit: 64m"))
    body = """\
import pytest

pytestmark = pytest.mark.anyio


async def test_fills_the_memory(cache_client):
    for number in range(128):
        await cache_client.set(f"key {number}", "x" * 1_000_000)
"""
    result = repository.pytest(repository.add_test("memory", body))
    assert result.code == 1
    assert "Redis was lost during the run" in result.output
    assert "exit code 137, having used all its memory" in result.output
    repository.wait_until_nothing_is_left(60)


def test_an_ended_worker_is_replaced_and_the_rest_of_the_run_is_green(
    repository: Repository,
) -> None:
    body = """\
import signal

import pytest


@pytest.mark.parametrize("number", range(8))
def test_one(database, cache, number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    result = repository.pytest(repository.add_test("crash", body), "-n", "2")
    assert result.counts == {"passed": 7, "failed": 1}, result.output
    repository.wait_until_nothing_is_left(60)
