"""A half-started server is never called healthy, and a ready one soon is; a client on
the host says clearly what else is wrong.

Every server is a container of the rendered docker-compose.test.yml, and its health
check what the engine took from there. A table of what was measured ends the output.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import aio_pika
import psycopg
import pymysql
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from redis import Redis

from .conftest import MakeRepository, Repository, Result, docker

Answer = TypeVar("Answer")
Variables = dict[str, str]


# --- Half-started servers -----------------------------------------------------------


@dataclass(frozen=True)
class HalfStarted:
    """A server that is up but not ready, and how it is made so.

    Commands are those of a shell in its container. The first of `naive` is fooled; what
    the others say is for the table. `begin` is repeated until it succeeds. Without
    `finish` the server can never become ready.
    """

    state: str
    service: str
    naive: tuple[str, ...]
    finish: str = ""
    begin: str = "true"
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    answers: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.service}, {self.state}"


def rdb(keys: int) -> bytes:
    """A file that Redis loads when it starts, with that many keys."""

    def text(content: str) -> bytes:
        return bytes([len(content)]) + content.encode()

    pairs = (b"\x00" + text(f"key:{n}") + text("v" * 40) for n in range(keys))
    no_checksum = bytes(8)
    return b"REDIS0009\xfe\x00" + b"".join(pairs) + b"\xff" + no_checksum


# As root before the server has made its cookie, a command of RabbitMQ would stop it.
HAS_COOKIE = "test -s /var/lib/rabbitmq/.erlang.cookie"

# An Erlang node that has not started its broker: `rabbitmqctl start_app` does that.
NODE_ONLY = {
    "RABBITMQ_NODE_ONLY": "true",
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-sname rabbit",
}

# Within milliseconds of the start of the AMQP listener, so that no check passes before.
START_AND_SUSPEND = """\
spawn(rabbit, start, []),
(fun Wait() ->
    case catch lists:keymember(amqp, 3, rabbit_networking:node_listeners(node())) of
        true -> ok = rabbit_maintenance:suspend_all_client_listeners();
        _ -> timer:sleep(1), Wait()
    end
end)()."""

KAFKA_BIN = "/opt/kafka/bin"
KAFKA_LISTENS = "bash -c '</dev/tcp/127.0.0.1/9092'"
KAFKA_PROCESS = "$(pidof java)"

# A further service is some more entries here, and one in LOG_IN.
HALF_STARTED = [
    HalfStarted(
        "first start, on its socket only",
        "postgres",
        files={
            "/docker-entrypoint-initdb.d/wait.sh": (
                b"until [ -e /tmp/finish ]; do sleep 0.1; done\n"
            )
        },
        begin="psql -U test -d test -c 'SELECT 1'",
        naive=(
            "pg_isready -U test -d test",
            "psql -U test -d test -c 'SELECT 1'",
            "pg_isready -h 127.0.0.1 -U test -d test",
        ),
        finish="touch /tmp/finish",
    ),
    HalfStarted(
        "its role is missing",
        "postgres",
        environment={"POSTGRES_USER": "admin"},
        naive=("pg_isready -h 127.0.0.1 -U test -d test",),
        finish=(
            "psql -h 127.0.0.1 -U admin test"
            """ -c "CREATE ROLE test LOGIN PASSWORD 'test'" """
        ),
    ),
    HalfStarted(
        "its database is missing",
        "postgres",
        environment={"POSTGRES_DB": "other"},
        naive=("pg_isready -h 127.0.0.1 -U test -d test",),
        finish="createdb -h 127.0.0.1 -U test test",
    ),
    HalfStarted(
        "first start, on its socket only",
        "mysql",
        answers={"database": "mysql"},
        files={
            "/docker-entrypoint-initdb.d/wait.sh": (
                b"until [ -e /tmp/finish ]; do sleep 0.1; done\n"
            )
        },
        begin="mysql -uroot -ptest -e 'SELECT 1' test",
        naive=(
            "mysqladmin ping",
            "mysqladmin ping -h localhost -uroot -ptest",
            "mysql -uroot -ptest -e 'SELECT 1' test",
            "mysqladmin ping -h 127.0.0.1 -uroot -ptest",
        ),
        finish="touch /tmp/finish",
    ),
    HalfStarted(
        "its password is another one",
        "mysql",
        answers={"database": "mysql"},
        environment={"MYSQL_ROOT_PASSWORD": "other"},
        naive=("mysqladmin ping -h 127.0.0.1 -uroot -ptest",),
        finish=(
            "mysql -h 127.0.0.1 -uroot -pother"
            """ -e "ALTER USER 'root'@'%' IDENTIFIED BY 'test'" """
        ),
    ),
    HalfStarted(
        "its database is missing",
        "mysql",
        answers={"database": "mysql"},
        environment={"MYSQL_DATABASE": "other"},
        naive=(
            "mysqladmin ping -h 127.0.0.1 -uroot -ptest",
            "mysql -h 127.0.0.1 -uroot -ptest -e 'SELECT 1'",
        ),
        finish="mysql -h 127.0.0.1 -uroot -ptest -e 'CREATE DATABASE test'",
    ),
    HalfStarted(
        "wants a password",
        "redis",
        arguments=("--requirepass", "secret"),
        naive=("redis-cli ping", "redis-cli ping | grep PONG"),
        finish="redis-cli -a secret config set requirepass ''",
    ),
    HalfStarted(
        "loads its data",
        "redis",
        files={"/preloaded/dump.rdb": rdb(20_000)},
        # For a minute, unless it is told to hurry; it still answers, between the keys.
        arguments=(
            *("--dir", "/preloaded", "--key-load-delay", "3000"),
            *("--loading-process-events-interval-bytes", "1024"),
        ),
        naive=("redis-cli ping", "redis-cli ping | grep PONG"),
        finish="redis-cli config set key-load-delay 0",
    ),
    HalfStarted(
        "wants a password",
        "valkey",
        answers={"cache": "valkey"},
        arguments=("--requirepass", "secret"),
        naive=("valkey-cli ping", "valkey-cli ping | grep PONG"),
        finish="valkey-cli -a secret config set requirepass ''",
    ),
    HalfStarted(
        "loads its data",
        "valkey",
        answers={"cache": "valkey"},
        files={"/preloaded/dump.rdb": rdb(20_000)},
        # As Redis does.
        arguments=(
            *("--dir", "/preloaded", "--key-load-delay", "3000"),
            *("--loading-process-events-interval-bytes", "1024"),
        ),
        naive=("valkey-cli ping", "valkey-cli ping | grep PONG"),
        finish="valkey-cli config set key-load-delay 0",
    ),
    HalfStarted(
        "its node is up, its broker is not",
        "rabbitmq",
        environment=NODE_ONLY,
        begin=f"{HAS_COOKIE} && rabbitmq-diagnostics -q ping",
        naive=(
            "rabbitmq-diagnostics -q ping",
            "rabbitmqctl status",
            "rabbitmq-diagnostics -q check_running",
        ),
        finish="rabbitmqctl start_app",
    ),
    HalfStarted(
        "its listeners are suspended",
        "rabbitmq",
        environment=NODE_ONLY,
        begin=f"{HAS_COOKIE} && rabbitmqctl eval '{START_AND_SUSPEND}'",
        naive=(
            "rabbitmq-diagnostics -q check_running",
            "rabbitmq-diagnostics -q ping",
            "rabbitmqctl status",
        ),
        finish="rabbitmqctl resume_listeners",
    ),
    HalfStarted(
        "listens, but does not answer",
        "kafka",
        answers={"broker": "kafka"},
        # At once, before any Java virtual machine of a check can have started.
        begin=f"{KAFKA_LISTENS} && kill -STOP {KAFKA_PROCESS}",
        naive=(KAFKA_LISTENS,),
        finish=f"kill -CONT {KAFKA_PROCESS}",
    ),
    HalfStarted(
        "advertises a wrong address",
        "kafka",
        answers={"broker": "kafka"},
        environment={
            "KAFKA_ADVERTISED_LISTENERS": (
                "HOST://127.0.0.1:9099,CONTAINERS://kafka:19092"
            )
        },
        naive=(
            f"{KAFKA_BIN}/kafka-topics.sh --bootstrap-server kafka:19092 --list",
            f"{KAFKA_BIN}/kafka-broker-api-versions.sh --bootstrap-server kafka:19092",
            KAFKA_LISTENS,
        ),
    ),
]


def log_in_to_postgres(port: int) -> None:
    url = f"postgresql://test:test@127.0.0.1:{port}/test"
    with psycopg.connect(url, connect_timeout=5) as connection:
        connection.execute("SELECT 1")


def log_in_to_mysql(port: int) -> None:
    with pymysql.connect(
        host="127.0.0.1",
        port=port,
        user="root",
        password="test",
        database="test",
        connect_timeout=5,
    ) as connection:
        connection.ping(reconnect=False)


def log_in_to_redis(port: int) -> None:
    with Redis(port=port, socket_timeout=5) as client:
        client.ping()


def log_in_to_rabbitmq(port: int) -> None:
    async def log_in() -> None:
        url = f"amqp://test:test@127.0.0.1:{port}/"
        async with await aio_pika.connect(url, timeout=5):
            pass

    asyncio.run(log_in())


def log_in_to_kafka(port: int) -> None:
    async def ask() -> None:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=5000
        )
        try:
            await admin.start()
            await admin.list_topics()
        finally:
            await admin.close()

    asyncio.run(ask())


# What a test would do first, on the host: the truth about whether a server is ready.
LOG_IN: dict[str, Callable[[int], None]] = {
    "postgres": log_in_to_postgres,
    "mysql": log_in_to_mysql,
    "redis": log_in_to_redis,
    "valkey": log_in_to_redis,
    "rabbitmq": log_in_to_rabbitmq,
    "kafka": log_in_to_kafka,
}


def wait_for(ask: Callable[[], Answer], seconds: float = 60) -> Answer:
    """Ask until the answer is true, and give it."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.02)
    return answer


class Stack:
    """Services of the rendered compose file, in a Compose project of their own."""

    def __init__(self, file: Path, images: Mapping[str, str]) -> None:
        self.project = f"health-checks-{uuid.uuid4().hex[:8]}"
        self.files = [file]
        ours = {k: v for k, v in os.environ.items() if not k.startswith("TEST_")}
        self.environment = {**ours, **images}

    def compose(self, *arguments: str) -> str:
        files = [part for file in self.files for part in ("-f", str(file))]
        return subprocess.run(
            ["docker", "compose", "-p", self.project, *files, *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def rendered(self, service: str) -> dict[str, Any]:
        """What the rendered file says about a service, as Compose understands it."""
        services = json.loads(self.compose("config", "--format", "json"))["services"]
        found: dict[str, Any] = services[service]
        return found

    def start(self, case: HalfStarted, folder: Path) -> Server:
        """Start a service so that it is half-started; in `folder` are its files."""
        rendered = self.rendered(case.service)
        changed: dict[str, Any] = {"environment": dict(case.environment)}
        if case.arguments:
            changed["command"] = [*rendered["command"], *case.arguments]
        for number, (path, content) in enumerate(case.files.items()):
            file = folder / f"file-{number}"
            file.write_bytes(content)
            changed.setdefault("volumes", []).append(f"{file}:{path}:ro")
        override = folder / "half-started.json"
        override.write_text(json.dumps({"services": {case.service: changed}}))
        self.files.append(override)
        self.compose("up", "--detach", case.service)
        server = Server(self.compose("ps", "--quiet", case.service).strip())
        assert server.check["Test"] == rendered["healthcheck"]["test"]
        return server

    def port(self, service: str, number: int = 0) -> int:
        """Where on the host the first port of a service is, or a further one."""
        target = self.rendered(service)["ports"][number]["target"]
        return int(self.compose("port", service, str(target)).split(":")[1])


@dataclass(frozen=True)
class Probe:
    """One time that the engine ran a health check, in seconds since 1970."""

    start: float
    end: float
    code: int


class Server:
    """A running container, and what its engine thinks of it."""

    def __init__(self, container: str) -> None:
        self.container = container
        self.check: dict[str, Any] = self._inspect()["Config"]["Healthcheck"]

    def _inspect(self) -> dict[str, Any]:
        details: dict[str, Any] = json.loads(docker("inspect", self.container))[0]
        return details

    @property
    def limit(self) -> float:
        """Seconds after which a starting server that is ready is called healthy."""
        nanoseconds: int = self.check["StartInterval"] + self.check["Timeout"]
        return nanoseconds / 1e9

    def run(self, *command: str) -> int:
        """The exit code of a command in the container."""
        exec_ = ["docker", "exec", self.container, *command]
        return subprocess.run(exec_, capture_output=True).returncode

    def shell(self, command: str) -> int:
        """The exit code of a command of a shell, as CMD-SHELL runs it."""
        return self.run("/bin/sh", "-c", command)

    def run_check(self) -> int:
        """The exit code of the server's own health check, run as the engine runs it."""
        kind, *command = self.check["Test"]
        if kind == "CMD-SHELL":
            command = ["/bin/sh", "-c", *command]
        return self.run("timeout", str(self.check["Timeout"] / 1e9), *command)

    def health(self) -> tuple[str, list[Probe]]:
        """What the engine calls the server, and the last checks that tell it so."""
        health = self._inspect()["State"]["Health"]
        return health["Status"], [
            Probe(
                datetime.fromisoformat(probe["Start"]).timestamp(),
                datetime.fromisoformat(probe["End"]).timestamp(),
                probe["ExitCode"],
            )
            for probe in health["Log"] or []
        ]

    def probes_since(self, moment: float) -> list[Probe]:
        """The checks that the engine has begun since then, and finished."""
        return [probe for probe in self.health()[1] if probe.start > moment]


def connect(port: int) -> int:
    """The exit code of `nc -z` on the host; wait-for-it.sh and the like do the same."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return 1
    return 0


def can_log_in(service: str, port: int) -> bool:
    try:
        LOG_IN[service](port)
    except Exception:
        return False
    return True


@pytest.fixture
def stack(
    case: HalfStarted, render: Callable[..., Path], images: dict[str, str]
) -> Iterator[Stack]:
    stack = Stack(render(**case.answers) / "docker-compose.test.yml", images)
    yield stack
    stack.compose("down", "--volumes", "--timeout", "0")


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Rows of what was measured, which are printed after the last test."""
    rows: list[str] = []
    yield rows
    head = [
        "| Half-started server | Naive checks say | Ours says | Engine says"
        " | Healthy after it is ready |",
        "| --- | --- | --- | --- | --- |",
    ]
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("", *head, *sorted(rows), sep="\n")


def verdict(code: int) -> str:
    return f"red ({code})" if code else "**healthy**"


@pytest.mark.parametrize("case", HALF_STARTED, ids=str)
def test_a_half_started_server_is_healthy_only_when_it_is_ready(
    case: HalfStarted, stack: Stack, tmp_path: Path, table: list[str]
) -> None:
    server = stack.start(case, tmp_path)
    port = stack.port(case.service)
    wait_for(lambda: server.shell(case.begin) == 0)
    wait_for(lambda: server.shell(case.naive[0]) == 0)

    # Not ready: a naive check says it is, ours and the engine say it is not.
    fooled_at = time.time()
    naive = {case.naive[0]: 0}
    naive |= {command: server.shell(command) for command in case.naive[1:]}
    naive["nc -z 127.0.0.1 <port on the host>"] = connect(port)
    ours = server.run_check()
    probes = wait_for(lambda: server.probes_since(fooled_at))
    status, _ = server.health()
    assert not can_log_in(case.service, port)
    assert ours != 0
    assert all(probe.code != 0 for probe in probes)
    assert status == "starting"

    delay = "it never is"
    if case.finish:
        delay = healthy_after(case, server, port)
    said = [f"`{command}`: {verdict(code)}" for command, code in naive.items()]
    says = "<br>".join(said).replace("|", r"\|")
    table.append(f"| {case} | {says} | {verdict(ours)} | {status} | {delay} |")


def healthy_after(case: HalfStarted, server: Server, port: int) -> str:
    """Finish the start: the seconds until the engine says so, and what they may be."""
    # Within one interval, and the time that a check may take. It is still in the start
    # period, where the interval is the short `start_interval`.
    assert server.shell(case.finish) == 0
    wait_for(lambda: can_log_in(case.service, port))
    ready_at = time.time()
    wait_for(lambda: server.health()[0] == "healthy")
    green = next(probe for probe in server.health()[1] if probe.code == 0)
    delay = max(0.0, green.end - ready_at)
    assert delay <= server.limit
    assert server.run_check() == 0
    return f"{delay:.2f} s (limit {server.limit:.2f} s)"


# --- The client on the host ---------------------------------------------------------

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
        # What answers there is something else. Most of these take all of the 30 s.
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
    # All at once, as most take all of the 30 s that a service has to answer.
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
