"""The proxy that fails when it is told to, in front of a small server."""

from __future__ import annotations

import importlib.util
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import pytest

SOON = 0.2  # seconds, in which an answer would have come
LATE = 10  # seconds: it does not come any more

Answer = Callable[[bytes], bytes]


class Server:
    """Answers what it receives, as `answer` says; remembers it."""

    def __init__(self, answer: Answer = bytes) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.received: list[bytes] = []
        self.ended = threading.Semaphore(0)  # connections
        self._answer = answer
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(
                    target=self._serve, args=[connection], daemon=True
                ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(65536):
                self.received.append(request)
                connection.sendall(self._answer(request))
        self.ended.release()

    def close(self) -> None:
        # A thread that waits in accept() would keep it open.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with closing(Server()) as server:
        yield server


def endpoint(support: Any, server: Server) -> Any:
    """A service where the server is, with a second port that no proxy is for."""
    ports = {"port": server.port, "management_port": 1}
    service = support.endpoints.Service("echo", "Echo", "1", ports, "", "", "")
    return support.endpoints.Endpoint(service, "127.0.0.1", ports, "", "", "", False)


@pytest.fixture
def proxy(support: Any, server: Server) -> Iterator[Any]:
    with closing(support.proxy.Proxy(endpoint(support, server))) as proxy:
        yield proxy


def connect(proxy: Any) -> socket.socket:
    address = (proxy.endpoint.host, proxy.endpoint.port)
    return socket.create_connection(address, timeout=LATE)


def ask(connection: socket.socket, request: bytes = b"hello") -> bytes:
    connection.sendall(request)
    return connection.recv(65536)


def silent(connection: socket.socket, request: bytes = b"hello") -> bool:
    """Whether no answer comes soon."""
    connection.settimeout(SOON)
    try:
        ask(connection, request)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(LATE)
    return False


def is_ended(connection: socket.socket) -> bool:
    """Whether the other side has ended a connection, in one way or the other."""
    try:
        return ask(connection) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def test_it_passes_everything_on(proxy: Any, server: Server) -> None:
    with connect(proxy) as one, connect(proxy) as other:
        assert ask(one) == ask(other) == b"hello"
        big = b"x" * 3_000_000
        threading.Thread(target=one.sendall, args=[big]).start()
        received = 0
        while received < len(big):
            received += len(one.recv(65536))
        assert received == len(big)
    # When the client ends, so does the server's connection.
    assert server.ended.acquire(timeout=LATE)
    assert server.ended.acquire(timeout=LATE)


def test_it_leads_to_the_service_by_one_port_and_leaves_the_others(
    proxy: Any, server: Server
) -> None:
    assert proxy.endpoint.ports["management_port"] == 1
    assert proxy.endpoint.port != server.port


def test_down_refuses_ends_and_recovers(proxy: Any, server: Server) -> None:
    with connect(proxy) as before:
        assert ask(before) == b"hello"
        with proxy.down():
            assert is_ended(before)
            for _ in range(3):
                with pytest.raises(ConnectionRefusedError):
                    connect(proxy)
            assert server.ended.acquire(timeout=LATE)
    with connect(proxy) as after:
        assert ask(after) == b"hello"


def test_a_fault_ends_with_the_error_of_a_test(proxy: Any) -> None:
    for fault in (
        proxy.down(),
        proxy.blackhole(),
        proxy.latency(60),
        proxy.limit_bytes(0),
    ):
        with pytest.raises(ZeroDivisionError), fault:
            raise ZeroDivisionError
        with connect(proxy) as after:
            assert ask(after) == b"hello"


def test_a_blackhole_takes_everything_and_brings_nothing(
    proxy: Any, server: Server
) -> None:
    with connect(proxy) as before:
        assert ask(before) == b"hello"
        with proxy.blackhole():
            with connect(proxy) as during:
                assert silent(during)
            assert silent(before)
        # What was not answered is lost, and the client learns it.
        assert is_ended(before)
    assert server.received == [b"hello"]
    with connect(proxy) as after:
        assert ask(after) == b"hello"


def test_latency_holds_answers_back_and_then_lets_them_go(
    proxy: Any, server: Server
) -> None:
    with connect(proxy) as connection:
        with proxy.latency(60):
            assert silent(connection)
            assert server.received == [b"hello"]
        assert connection.recv(65536) == b"hello"
        with proxy.latency(0.01):
            assert ask(connection) == b"hello"


def test_answers_are_cut_after_so_many_bytes_of_all_connections(proxy: Any) -> None:
    with connect(proxy) as one, connect(proxy) as other:
        with proxy.limit_bytes(8):
            assert ask(one) == b"hello"
            assert ask(other) == b"hel"
            assert other.recv(1) == b""
        assert ask(one) == b"hello"


def test_an_answer_is_lost_though_the_request_was_served(
    proxy: Any, server: Server
) -> None:
    with connect(proxy) as connection, connect(proxy) as other:
        with proxy.limit_bytes(0):
            assert ask(connection, b"commit") == b""
        assert ask(other) == b"hello"
    assert server.received == [b"commit", b"hello"]


def test_a_reset_is_an_error_and_not_an_end(proxy: Any, server: Server) -> None:
    with connect(proxy) as connection:
        assert ask(connection) == b"hello"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert server.ended.acquire(timeout=LATE)
    with connect(proxy) as after:
        assert ask(after) == b"hello"


def test_a_service_that_is_not_there_ends_the_connection(
    proxy: Any, server: Server
) -> None:
    server.close()
    with connect(proxy) as connection:
        assert is_ended(connection)


def test_nothing_is_left_of_a_closed_one(support: Any, server: Server) -> None:
    threads = threading.active_count()
    for _ in range(20):
        proxy = support.proxy.Proxy(endpoint(support, server))
        connections = [connect(proxy) for _ in range(5)]
        assert [ask(connection) for connection in connections] == [b"hello"] * 5
        with proxy.down():
            pass
        proxy.close()
        for connection in connections:
            connection.close()
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        for _ in connections:
            assert server.ended.acquire(timeout=LATE)
    assert threading.active_count() <= threads


def test_it_may_fail_and_recover_while_many_connect(proxy: Any) -> None:
    stopped = threading.Event()

    def keep_asking() -> set[bytes]:
        answers = set()
        while not stopped.is_set():
            with suppress(ConnectionError), connect(proxy) as connection:
                answers.add(ask(connection))
        return answers

    with ThreadPoolExecutor() as threads:
        asking = [threads.submit(keep_asking) for _ in range(4)]
        for _ in range(50):
            with proxy.down(), pytest.raises(ConnectionRefusedError):
                connect(proxy)
            with proxy.blackhole():
                pass
            proxy.reset()
        stopped.set()
    for each in asking:
        # No error other than of a connection, so none has waited in vain.
        assert each.result() <= {b"hello", b""}
    with connect(proxy) as after:
        assert ask(after) == b"hello"


def frame(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">i", len(body)) + body


@pytest.mark.parametrize("host", ["127.0.0.1", "broker.example.com"])
def test_kafkas_own_address_becomes_that_of_its_proxy(
    support: Any, server: Server, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    kafka = importlib.import_module("bed.kafka")
    monkeypatch.setattr(kafka, "_advertised", lambda _: None)
    monkeypatch.setattr(kafka.asyncio, "run", lambda _: (host, 9092))
    own_port = struct.pack(">i", 9092)
    filler = b"y" * 200_000
    older = struct.pack(">h", len(host)) + host.encode() + own_port
    newer = struct.pack(">b", len(host) + 1) + host.encode() + own_port
    server._answer = lambda _: frame(filler, older, newer) + frame(b"next")

    with closing(kafka.KafkaProxy(endpoint(support, server))) as proxy:
        port = struct.pack(">i", proxy.endpoint.port)
        expected = frame(
            *(filler, b"\x00\x09127.0.0.1", port, b"\x0a127.0.0.1", port)
        ) + frame(b"next")
        with connect(proxy) as client:
            received = ask(client)
            while len(received) < len(expected):
                received += client.recv(65536)
    assert received == expected
