"""The rendered tests pass on real servers, in every order and in parallel."""

from __future__ import annotations

import concurrent.futures
import itertools
from pathlib import Path

import pytest

from .conftest import MakeRepository, Repository, Result

COMBINATIONS = list(
    itertools.product(["redis", "none"], ["rabbitmq", "kafka", "none"], [True, False])
)


def assert_passed(result: Result) -> None:
    assert result.code == 0, result.output
    assert set(result.counts) == {"passed"}, result.output
    assert result.counts["passed"] > 30


@pytest.mark.parametrize(("cache", "broker", "starter"), COMBINATIONS)
def test_serial_parallel_and_in_random_order(
    make_repository: MakeRepository, cache: str, broker: str, starter: bool
) -> None:
    repository = make_repository(cache=cache, broker=broker, starter=starter)
    assert_passed(repository.pytest())
    repository.wait_until_nothing_is_left()
    keep = {"TEST_KEEP_SERVICES": "1"}
    assert_passed(repository.pytest("-n", "4", **keep))
    services = repository.containers()
    random_order = ["-p", "randomly"]
    assert_passed(repository.pytest(*random_order, **keep))
    assert_passed(repository.pytest(*random_order, "-n", "2", **keep))
    assert repository.containers() == services
    assert_nothing_is_left_on_the_servers(repository)


def assert_nothing_is_left_on_the_servers(repository: Repository) -> None:
    """No database, key, virtual host, queue, topic or group of a test stays."""
    databases = "SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'"
    kafka = "/opt/kafka/bin/kafka-{}.sh --bootstrap-server kafka:19092 --list"
    questions = {
        "postgres": ["psql", "-h127.0.0.1", "-Utest", "-Atc", databases],
        "redis": ["redis-cli", "INFO", "keyspace"],
        "rabbitmq": ["rabbitmqctl", "-q", "list_vhosts", "--no-table-headers"],
        "kafka": [
            "sh",
            "-c",
            "; ".join(map(kafka.format, ("topics", "consumer-groups"))),
        ],
    }
    nothing = {
        "postgres": "",
        "redis": "# Keyspace",
        "rabbitmq": "/",
        "kafka": "__consumer_offsets",
    }
    for service in repository.containers():
        answer = repository.execute(service, *questions[service])
        assert answer.strip() == nothing[service]


@pytest.mark.parametrize("broker", ["rabbitmq", "kafka"])
def test_two_checkouts_at_once(make_repository: MakeRepository, broker: str) -> None:
    checkouts = [make_repository(name, broker=broker) for name in ("one", "two")]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for result in pool.map(lambda checkout: checkout.pytest("-n", "2"), checkouts):
            assert_passed(result)
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
