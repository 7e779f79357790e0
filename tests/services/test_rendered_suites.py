"""The rendered tests pass on real servers, in every order and in parallel."""

from __future__ import annotations

import concurrent.futures
import os
from pathlib import Path

import pytest

from ..stacks import Stack, covering_stacks, name
from .conftest import MakeRepository, Repository, Result, docker


def assert_passed(result: Result) -> None:
    assert result.code == 0, result.output
    assert result.counts.keys() <= {"passed", "deselected"}, result.output
    assert result.counts["passed"] > 30


@pytest.mark.parametrize("stack", covering_stacks(), ids=name)
def test_in_parallel_and_in_random_order(
    make_repository: MakeRepository, stack: Stack
) -> None:
    """Pipelines and the README's commands run them in the order of the files."""
    repository = make_repository(**stack)
    assert_passed(repository.pytest("-n", "4"))
    repository.wait_until_nothing_is_left()
    assert_passed(repository.pytest("-p", "randomly", TEST_KEEP_SERVICES="1"))
    assert not any(repository.leftovers().values())


@pytest.mark.parametrize("broker", ["rabbitmq", "kafka"])
def test_two_checkouts_at_once(make_repository: MakeRepository, broker: str) -> None:
    checkouts = [make_repository(name, broker=broker) for name in ("one", "two")]
    assert_all_pass_at_once(*checkouts)
    for checkout in checkouts:
        checkout.wait_until_nothing_is_left()


def test_two_runs_of_one_checkout_at_once(
    make_repository: MakeRepository, tmp_path: Path
) -> None:
    repository = make_repository()
    (tmp_path / "elsewhere").mkdir()
    runs = [("0", {}), ("2", {"TMPDIR": str(tmp_path / "elsewhere")})]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for result in pool.map(
            lambda run: repository.pytest("-n", run[0], **run[1]), runs
        ):
            assert_passed(result)
    repository.wait_until_nothing_is_left()


def test_more_workers_than_redis_has_databases_by_default(
    make_repository: MakeRepository,
) -> None:
    assert_passed(make_repository(broker="none", starter=False).pytest("-n", "17"))


def networks(project: str) -> list[str]:
    """What other tests do at the same time has other names."""
    name = f"name=^{project}-test-"
    return docker("network", "ls", "--quiet", "--filter", name).split()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can unshare")


@needs_root
def test_one_checkout_on_a_machine_and_in_a_container_at_once(
    make_repository: MakeRepository,
) -> None:
    machine = make_repository(project_name="Container", broker="none")
    # As a container does, it sees the same files, but has a name of its own.
    rename = "hostname container && exec $0 $@"
    container = Repository(machine.path, machine.environment)
    container.wrapper = ["unshare", "--uts", "sh", "-c", rename]
    assert_all_pass_at_once(machine, container)
    machine.wait_until_nothing_is_left()
    assert not networks("container")


@needs_root
def test_two_checkouts_at_one_path_at_once(make_repository: MakeRepository) -> None:
    answers = {"project_name": "Path", "broker": "none"}
    one, two = (make_repository(name, **answers) for name in ("one", "two"))
    # Two containers may both have their checkout at /workspace.
    mount = f"mount --bind {two.path} {one.path} && cd {one.path} && exec $0 $@"
    two_as_one = Repository(one.path, one.environment)
    two_as_one.wrapper = ["unshare", "--mount", "sh", "-c", mount]
    assert_all_pass_at_once(one, two_as_one)
    one.wait_until_nothing_is_left()
    assert not networks("path")


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_an_api_that_answers_late_is_none_of_the_next_tests_business(
    make_repository: MakeRepository, framework: str
) -> None:
    repository = make_repository(framework=framework, broker="none", cache="none")
    test = repository.path / "tests/integration/test_exchange_rates.py"
    waits = "        answered.wait()\n"
    late = f"{waits}        __import__('time').sleep(0.5)\n"
    text = test.read_text()
    assert waits in text
    test.write_text(text.replace(waits, late))
    result = repository.pytest("tests/integration/test_exchange_rates.py")
    assert result.code == 0, result.output


REFUSED = """
import gc
from threading import Thread

import pytest

from shop.events import OrderCreated
from shop.messaging import Publisher, PublishError

kept = []


@pytest.mark.anyio
async def test_refused(engine):  # whose loop stays open
    publisher = Publisher("amqp://guest:guest@127.0.0.1:1/")
    with pytest.raises(PublishError) as caught:
        await publisher.publish(OrderCreated(order_id=1, user_id=1, total_cents=1))
    kept.append(caught.value)  # and its traceback's frames


def collect():
    kept.clear()
    gc.collect()


def test_next():
    collector = Thread(target=collect)  # where no event loop is
    collector.start()
    collector.join()
"""


def test_a_connection_that_was_refused_is_closed_at_once(
    make_repository: MakeRepository,
) -> None:
    """Not by whoever collects garbage: it would fail a test of something else."""
    repository = make_repository(framework="fastapi", broker="rabbitmq", cache="none")
    test = repository.add_test("refused", REFUSED)
    result = repository.pytest("-p", "no:randomly", test)
    assert result.code == 0, result.output


@needs_root
def test_temporary_directories_that_pytest_cannot_remove_fail_nothing(
    make_repository: MakeRepository, tmp_path: Path
) -> None:
    """Two runs that end at once may each find what the other has not removed yet."""
    repository = make_repository(broker="none", cache="none")
    test = repository.add_test("temporary", "def test_passes(tmp_path):\n    pass\n")
    busy = tmp_path / "pytest-of-root" / "garbage-of-another-run" / "busy"
    busy.mkdir(parents=True)
    mount = f"mount -t tmpfs none {busy} && exec $0 $@"
    repository.wrapper = ["unshare", "--mount", "sh", "-c", mount]
    result = repository.pytest(test, PYTEST_DEBUG_TEMPROOT=str(tmp_path))
    assert result.code == 0, result.output
    assert not busy.exists()  # pytest renames what it is going to remove


def assert_all_pass_at_once(*repositories: Repository) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for result in pool.map(lambda each: each.pytest("-n", "2"), repositories):
            assert_passed(result)
