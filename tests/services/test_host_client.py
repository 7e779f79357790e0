"""The client on the host says clearly what is wrong with the server that it finds."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .compose_stack import Stack
from .conftest import MakeRepository, Repository, Result

Variables = dict[str, str]
TITLES = {"postgres": "PostgreSQL", "redis": "Redis", "rabbitmq": "RabbitMQ"}


@pytest.fixture(scope="module")
def servers(
    render: Callable[..., Path], images: dict[str, str]
) -> Iterator[dict[str, Variables]]:
    """The variables that lead to ready servers; that of Redis wants a password."""
    stack = Stack(render() / "docker-compose.test.yml", images)
    try:
        stack.compose("up", "--detach", "--wait")
        set_password = ("config", "set", "requirepass", "secret")
        stack.compose("exec", "--no-TTY", "redis", "redis-cli", *set_password)
        yield {
            service: {
                f"TEST_{service}_HOST".upper(): "127.0.0.1",
                f"TEST_{service}_PORT".upper(): str(stack.port(service)),
                "TEST_RABBITMQ_MANAGEMENT_PORT": str(stack.port("rabbitmq", 1)),
            }
            for service in TITLES
        }
    finally:
        stack.compose("down", "--volumes", "--timeout", "0")


@pytest.fixture
def silence() -> Iterator[str]:
    """The port of a listener that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


@pytest.fixture
def web_server() -> Iterator[str]:
    """The port of a web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port)
        server.shutdown()


@dataclass(frozen=True)
class Misled:
    """Variables that lead to the wrong server, or with the wrong login."""

    service: str
    variables: Variables
    cause: str


def assert_one_clear_message(service: str, cause: str, result: Result) -> None:
    """One error, which tells what is missing, why, and which variables matter."""
    title = TITLES[service]
    assert result.code == 1, result.output
    assert result.counts == {"error": 1}, result.output
    # pytest's summary repeats the whole message where the variable CI is set.
    message = result.output.partition(" short test summary info ")[0]
    assert message.count(f"{title} is not available: ") == 1, result.output
    assert cause in message, result.output
    assert f"TEST_{service}_".upper() in message, result.output
    assert "Traceback" not in result.output


def test_the_client_on_the_host_says_what_is_wrong(
    make_repository: MakeRepository,
    servers: dict[str, Variables],
    silence: str,
    web_server: str,
) -> None:
    postgres = servers["postgres"]["TEST_POSTGRES_PORT"]
    redis = servers["redis"]["TEST_REDIS_PORT"]
    refused = "password authentication failed for user"
    timeout = "connection timeout expired"
    cases = [
        Misled("postgres", {"TEST_POSTGRES_PASSWORD": "no"}, f'{refused} "test"'),
        Misled("postgres", {"TEST_POSTGRES_USER": "nobody"}, f'{refused} "nobody"'),
        Misled("redis", {}, "it wants a password"),
        Misled("redis", {"TEST_REDIS_PASSWORD": "no"}, "invalid username-password"),
        Misled("rabbitmq", {"TEST_RABBITMQ_PASSWORD": "no"}, "ACCESS_REFUSED"),
        # What answers there is something else. Most of these take all of the time.
        Misled("postgres", {"TEST_POSTGRES_PORT": silence}, timeout),
        Misled("postgres", {"TEST_POSTGRES_PORT": web_server}, timeout),
        Misled("postgres", {"TEST_POSTGRES_PORT": redis}, timeout),
        Misled("redis", {"TEST_REDIS_PORT": silence}, "Timeout reading from socket"),
        Misled("redis", {"TEST_REDIS_PORT": web_server}, "Connection"),
        Misled("redis", {"TEST_REDIS_PORT": postgres}, "Connection closed by server"),
        Misled("rabbitmq", {"TEST_RABBITMQ_PORT": silence}, "TimeoutError"),
        Misled("rabbitmq", {"TEST_RABBITMQ_PORT": web_server}, "TimeoutError"),
        Misled("rabbitmq", {"TEST_RABBITMQ_PORT": postgres}, "unexpectedly closed"),
        Misled("rabbitmq", {"TEST_RABBITMQ_MANAGEMENT_PORT": web_server}, "501"),
    ]
    assert_each_says_what_is_wrong(make_repository(), servers, cases)


def test_pika_on_the_host_says_what_is_wrong(
    make_repository: MakeRepository,
    servers: dict[str, Variables],
    silence: str,
    web_server: str,
) -> None:
    postgres = servers["postgres"]["TEST_POSTGRES_PORT"]
    timeout, closed = "AMQPConnectorStackTimeout", "IncompatibleProtocolError"
    cases = [
        Misled("rabbitmq", {"TEST_RABBITMQ_PASSWORD": "no"}, "ACCESS_REFUSED"),
        Misled("rabbitmq", {"TEST_RABBITMQ_PORT": silence}, timeout),
        Misled("rabbitmq", {"TEST_RABBITMQ_PORT": web_server}, timeout),
        Misled("rabbitmq", {"TEST_RABBITMQ_PORT": postgres}, closed),
        Misled("rabbitmq", {"TEST_RABBITMQ_MANAGEMENT_PORT": web_server}, "501"),
    ]
    synchronous = make_repository(database_access="sync")
    assert_each_says_what_is_wrong(synchronous, servers, cases)


def assert_each_says_what_is_wrong(
    repository: Repository, servers: dict[str, Variables], cases: list[Misled]
) -> None:
    # All at once, as most take all the time that a service has to answer.
    repository.wait_for_others(30)
    runs = [
        repository.start_pytest(
            f"tests/integration/test_{case.service}.py",
            **{**servers[case.service], **case.variables},
        )
        for case in cases
    ]
    outputs = [run.communicate(timeout=120)[0] for run in runs]
    for case, run, output in zip(cases, runs, outputs, strict=True):
        result = Result(run.returncode, output)
        assert_one_clear_message(case.service, case.cause, result)
        port = f"TEST_{case.service}_PORT".upper()
        address = {**servers[case.service], **case.variables}[port]
        assert f"{TITLES[case.service]} at 127.0.0.1:{address} " in output


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("postgres", "TEST_POSTGRES_PORT"),
        ("redis", "TEST_REDIS_PORT"),
        ("rabbitmq", "TEST_RABBITMQ_PORT"),
        ("rabbitmq", "TEST_RABBITMQ_MANAGEMENT_PORT"),
    ],
)
def test_a_port_that_is_taken_already_is_named(
    make_repository: MakeRepository, silence: str, service: str, variable: str
) -> None:
    repository = make_repository()
    module = f"tests/integration/test_{service}.py"
    result = repository.pytest(module, **{variable: silence})
    assert_one_clear_message(service, "already in use", result)
    assert f"127.0.0.1:{silence}" in result.output
    assert f"unset {variable} to have a free one" in result.output
    repository.wait_until_nothing_is_left()


def test_without_an_engine_a_fixed_port_is_not_blamed(
    make_repository: MakeRepository, tmp_path: Path
) -> None:
    repository = make_repository()
    module = "tests/integration/test_postgres.py"
    # The port of a container changes nothing where there is no container.
    without = {"PATH": str(tmp_path), "TEST_POSTGRES_PORT": "5432"}
    what_to_do = "Start Docker, until `docker info` shows its server; or set TEST_POSTG"
    result = repository.pytest(module, **without)
    assert_one_clear_message("postgres", "`docker` was not found", result)
    assert what_to_do in result.output

    unreachable = {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    result = repository.pytest(module, **unreachable)
    assert_one_clear_message("postgres", "connect to the Docker daemon", result)
    assert what_to_do in result.output


def test_ctrl_c_ends_the_wait_for_an_answer(make_repository: MakeRepository) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = {"TEST_REDIS_HOST": "127.0.0.1"}
        port = {"TEST_REDIS_PORT": str(listener.getsockname()[1])}
        run = make_repository().start_pytest(
            "tests/integration/test_redis.py", **host, **port
        )
        listener.accept()  # it is waiting now, for up to 30 s
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate(timeout=20)
    assert "KeyboardInterrupt" in output
    assert "is not available" not in output
