"""A half-started server is never called healthy, and a ready one soon is.

Every server is a container of the rendered docker-compose.test.yml, and its health
check what the engine took from there. A table of what was measured ends the output.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import aio_pika
import psycopg
import pymysql
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from redis import Redis

from .compose_stack import Server, Stack
from .half_started import HALF_STARTED, HalfStarted

Answer = TypeVar("Answer")


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
