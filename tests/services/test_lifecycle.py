"""Services start when they are needed, once, and are gone after every kind of end."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import MakeRepository, Repository, docker


@pytest.fixture
def repository(make_repository: MakeRepository) -> Repository:
    return make_repository()


def test_unit_tests_and_collection_start_nothing(repository: Repository) -> None:
    assert repository.pytest("tests/unit").code == 0
    assert repository.pytest("--collect-only", "-q").code == 0
    guard = repository.pytest("tests/integration/test_guard.py")
    assert guard.code == 0
    assert repository.containers() == {}


def test_only_the_services_that_the_selected_tests_use_are_started(
    repository: Repository,
) -> None:
    keep = {"TEST_KEEP_SERVICES": "1"}
    result = repository.pytest("tests/integration/test_database.py", **keep)
    assert result.code == 0, result.output
    assert repository.containers().keys() == {"postgres"}


def test_services_that_were_started_by_hand_are_used_and_kept(
    repository: Repository,
) -> None:
    repository.compose("up", "--detach", "--wait")
    by_hand = repository.containers()
    result = repository.pytest()
    assert result.code == 0, result.output
    assert "starting" not in result.output
    time.sleep(2)
    assert repository.containers() == by_hand
    repository.compose("down")
    assert repository.containers() == {}


def test_a_service_that_is_missing_by_hand_is_started_and_stopped_alone(
    repository: Repository,
) -> None:
    repository.compose("up", "--detach", "--wait", "postgres")
    by_hand = repository.containers()
    result = repository.pytest("tests/integration/test_redis.py")
    assert result.code == 0, result.output
    deadline = time.monotonic() + 20
    while repository.containers() != by_hand:
        assert time.monotonic() < deadline, repository.containers()
        time.sleep(0.2)
    repository.compose("down")


def test_the_option_keeps_services_like_the_variable(repository: Repository) -> None:
    result = repository.pytest("tests/integration/test_redis.py", "--keep-services")
    assert result.code == 0, result.output
    time.sleep(2)
    kept = repository.containers()
    assert kept.keys() == {"redis"}
    again = repository.pytest("tests/integration/test_redis.py")
    assert "starting" not in again.output
    time.sleep(2)
    assert repository.containers() == kept


def test_a_stack_of_the_users_own_is_left_alone(repository: Repository) -> None:
    own = repository.path / "compose.yml"
    image = repository.environment.get("REDIS_IMAGE", "redis:8.4.0")
    own.write_text(f"services:\n  redis:\n    image: {image}\n")
    compose = ["docker", "compose", "-p", repository.path.name]
    subprocess.run([*compose, "-f", own, "up", "-d"], check=True, capture_output=True)
    try:
        before = docker("ps", "--quiet", "--filter", "name=shop-redis")
        assert repository.pytest("tests/integration/test_redis.py").code == 0
        repository.wait_until_nothing_is_left()
        assert docker("ps", "--quiet", "--filter", "name=shop-redis") == before != ""
    finally:
        subprocess.run([*compose, "down", "-t0"], check=True, capture_output=True)


def test_the_starter_passes_with_a_fixed_port(repository: Repository) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    body = f"def test_port(cache):\n    assert cache.port == {port}\n"
    module = repository.add_test("port", body)
    result = repository.pytest(module, TEST_REDIS_PORT=port)
    assert result.code == 0, result.output


def test_one_message_when_docker_is_missing(
    repository: Repository, tmp_path: Path
) -> None:
    result = repository.pytest("tests/integration", PATH=str(tmp_path))
    assert result.code == 1
    assert result.output.count("ERROR at setup of") == 1
    assert "PostgreSQL is not available: the command `docker` was" in result.output
    assert "Start Docker, until `docker info` shows its server" in result.output
    assert "or set TEST_POSTGRES_HOST and TEST_POSTGRES_PORT" in result.output
    assert "Traceback" not in result.output


def test_one_message_for_each_worker_when_docker_is_missing(
    repository: Repository, tmp_path: Path
) -> None:
    result = repository.pytest("tests/integration", "-n", "2", PATH=str(tmp_path))
    assert result.code == 2  # pytest-xdist calls it interrupted
    assert 1 <= result.output.count("ERROR at setup of") <= 2


def test_unit_tests_pass_when_docker_is_missing(
    repository: Repository, tmp_path: Path
) -> None:
    assert repository.pytest("tests/unit", PATH=str(tmp_path)).code == 0


def test_servers_that_others_run_are_used_without_docker(
    repository: Repository, tmp_path: Path
) -> None:
    repository.compose("up", "--detach", "--wait")
    variables = {"PATH": str(tmp_path)}
    for variable, service, port in [
        ("POSTGRES_PORT", "postgres", "5432"),
        ("REDIS_PORT", "redis", "6379"),
        ("RABBITMQ_PORT", "rabbitmq", "5672"),
        ("RABBITMQ_MANAGEMENT_PORT", "rabbitmq", "15672"),
    ]:
        address = repository.compose("port", service, port).strip()
        variables[f"TEST_{variable}"] = address.removeprefix("127.0.0.1:")
        variables[f"TEST_{service}_HOST".upper()] = "127.0.0.1"
    result = repository.pytest("-n", "2", **variables)
    assert result.code == 0, result.output
    assert not any(repository.leftovers().values())
    repository.compose("down")


def test_a_server_that_others_run_and_that_is_down_is_named(
    repository: Repository,
) -> None:
    variables = {"TEST_REDIS_HOST": "127.0.0.1", "TEST_REDIS_PORT": "1"}
    repository.wait_for_others(1)
    result = repository.pytest("tests/integration/test_redis.py", **variables)
    assert result.code == 1
    assert "Redis at 127.0.0.1:1 did not answer within 1 s" in result.output
    assert "TEST_REDIS_HOST is set: check it and TEST_REDIS_PORT" in result.output
    assert repository.containers() == {}


def test_a_server_elsewhere_is_refused(repository: Repository) -> None:
    result = repository.pytest(
        "tests/integration/test_redis.py", TEST_REDIS_HOST="redis.example.com"
    )
    assert result.code == 1
    assert "TEST_ALLOWED_HOSTS=redis.example.com" in result.output


def test_an_engine_that_does_not_answer_is_named(repository: Repository) -> None:
    module = "tests/integration/test_redis.py"
    result = repository.pytest(module, DOCKER_HOST="tcp://127.0.0.1:1")
    assert result.code == 1
    assert "Cannot connect to the Docker daemon at tcp://127.0.0.1:1" in result.output
    assert "Start Docker, until `docker info` shows its server" in result.output
    assert "Traceback" not in result.output


def test_an_image_that_cannot_be_pulled_is_named(repository: Repository) -> None:
    module = "tests/integration/test_redis.py"
    result = repository.pytest(module, REDIS_IMAGE="127.0.0.1:1/redis:8")
    assert result.code == 1
    assert "127.0.0.1:1/redis:8 could not be pulled, see above" in result.output
    assert "Try `docker compose -f docker-compose.test.yml pull`" in result.output
    assert "Traceback" not in result.output


def test_a_port_that_is_taken_is_named(repository: Repository) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        module = "tests/integration/test_redis.py"
        result = repository.pytest(module, TEST_REDIS_PORT=port)
    assert result.code == 1
    assert f"127.0.0.1:{port}" in result.output
    assert "Now its container is created" in result.output
    assert "unset TEST_REDIS_PORT to have a free one" in result.output
    assert f"`docker ps --filter publish={port}`" in result.output
    assert "Traceback" not in result.output
    repository.wait_until_nothing_is_left()


def change_compose_file(repository: Repository, old: str, new: str) -> None:
    compose_file = repository.path / "docker-compose.test.yml"
    text = compose_file.read_text()
    assert old in text
    compose_file.write_text(text.replace(old, new))


def test_a_container_that_ends_at_once_is_explained(repository: Repository) -> None:
    command = "command: [redis-server,"
    change_compose_file(repository, command, f"{command} --nonsense, x,")
    result = repository.pytest("tests/integration/test_redis.py")
    assert result.code == 1
    assert "Redis is not available" in result.output
    assert "Now its container ended with exit code 1. It said last:" in result.output
    assert "nonsense" in result.output  # what the server itself said
    assert "Try `docker compose -f docker-compose.test.yml up redis`" in result.output
    assert "Traceback" not in result.output
    repository.wait_until_nothing_is_left()


def test_a_container_that_never_becomes_healthy_is_explained(
    repository: Repository,
) -> None:
    check = "[CMD, redis-cli, -h, 127.0.0.1, -e, ping]"
    change_compose_file(repository, check, '[CMD-SHELL, "echo not yet; exit 1"]')
    lifecycle = repository.path / "tests" / "integration" / "support" / "lifecycle.py"
    text = lifecycle.read_text()
    assert "HEALTHY_WITHIN = 180.0" in text
    lifecycle.write_text(text.replace("HEALTHY_WITHIN = 180.0", "HEALTHY_WITHIN = 3.0"))
    result = repository.pytest("tests/integration/test_redis.py")
    assert result.code == 1
    assert "Now its container is running, port: " in result.output
    assert "health check: starting (not yet)" in result.output
    assert "Ready to accept connections" in result.output  # what it said
    assert "Try `docker compose -f docker-compose.test.yml up redis`" in result.output
    assert "Traceback" not in result.output
    repository.wait_until_nothing_is_left()


def test_the_path_of_a_checkout_may_be_odd(make_repository: MakeRepository) -> None:
    repository = make_repository("my shop, ünïcode & more", broker="none")
    result = repository.pytest("tests/integration/test_redis.py")
    assert result.code == 0, result.output
    repository.wait_until_nothing_is_left()


def test_a_checkout_behind_a_symbolic_link_is_the_same_checkout(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(repository.path)
    linked = Repository(tmp_path / "link", repository.environment)
    linked.compose("up", "--detach", "--wait", "redis")
    try:
        result = repository.pytest("tests/integration/test_redis.py")
        assert result.code == 0, result.output
        assert "starting" not in result.output
    finally:
        linked.compose("down")


def test_a_failed_migration_is_shown_by_every_process_that_needs_it(
    repository: Repository,
) -> None:
    wiring = repository.path / "tests" / "integration" / "wiring.py"
    broken = (
        '\n\ndef migrate(database: Endpoint) -> None:\n    raise ValueError("oops")\n'
    )
    wiring.write_text(wiring.read_text() + broken)
    module = "tests/integration/test_isolation.py"
    for workers in ("0", "2"):
        result = repository.pytest(module, "-n", workers)
        assert result.code == 1
        assert "ValueError: oops" in result.output
        assert "already exists" not in result.output


def test_a_test_that_asks_for_an_address_alone_leaves_nothing_either(
    repository: Repository,
) -> None:
    body = """\
import pytest
from redis import Redis

from .support.postgres import connect


@pytest.mark.commits
@pytest.mark.parametrize("visit", [1, 2])
def test_rows(database, visit):
    with connect(database) as own:
        assert own.execute("SELECT count(*) FROM products").fetchone() == (0,)
        own.execute(
            "INSERT INTO products (sku, name, price_cents, stock)"
            " VALUES ('a', 'b', 1, 1)"
        )


@pytest.mark.parametrize("visit", [1, 2])
def test_keys(cache, visit):
    with Redis.from_url(cache.url("redis")) as own:
        assert own.dbsize() == 0
        own.set("left", "behind")
"""
    result = repository.pytest(repository.add_test("addresses", body))
    assert result.code == 0, result.output
    assert result.counts == {"passed": 4}


COMPLAINS_IN_SET_UP = """\
import psycopg
import pytest


@pytest.fixture
def complaint(postgres):
    with psycopg.connect(postgres.url("postgresql")) as connection:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("SELECT complaint")


def test_fails(complaint):
    pytest.fail("for another reason")
"""


def test_a_failure_shows_what_was_logged_in_its_set_up(repository: Repository) -> None:
    result = repository.pytest(repository.add_test("complains", COMPLAINS_IN_SET_UP))
    assert result.counts == {"failed": 1}, result.output
    assert 'column "complaint" does not exist' in result.output


def test_hooks_of_the_users_own_conftest_do_not_replace_ours(
    repository: Repository,
) -> None:
    conftest = repository.path / "tests" / "integration" / "conftest.py"
    hooks = """

def pytest_configure(config):
    config.addinivalue_line("markers", "mine: of the user")


def pytest_collection_modifyitems(items):
    pass


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return (yield)
"""
    conftest.write_text(conftest.read_text() + hooks)
    result = repository.pytest("tests/integration/test_isolation.py")
    assert result.code == 0, result.output


def test_it_runs_without_capture_beside_a_package_named_support(
    repository: Repository,
) -> None:
    (repository.path / "support").mkdir()
    (repository.path / "support" / "__init__.py").touch()
    module = "tests/integration/test_redis.py"
    result = repository.pytest(module, "-p", "no:capture")
    assert result.code == 0, result.output
    repository.wait_until_nothing_is_left()


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"TEST_POSTGRES_PORT": "tcp://10.0.0.1:5432"}, "TEST_POSTGRES_PORT is"),
        ({"PGHOSTADDR": "10.0.0.1"}, "PGHOSTADDR is set"),
        ({"TEST_POSTGRES_DATABASE": "shop"}, "does not look like a database for tests"),
    ],
)
def test_a_variable_that_cannot_be_meant_so_is_named(
    repository: Repository, variables: dict[str, str], reason: str
) -> None:
    variables = {"TEST_POSTGRES_HOST": "127.0.0.1", **variables}
    result = repository.pytest("tests/integration/test_postgres.py", **variables)
    assert result.code == 1
    assert reason in result.output
    assert "Traceback" not in result.output
