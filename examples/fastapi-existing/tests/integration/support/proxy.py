"""A proxy between the application and a service, which fails when it is told to.

Managed by Testbed: updates change this file. Standard library only.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from .endpoints import Endpoint

T = TypeVar("T")

_PART = 65536  # bytes that are passed on at once, at most


class Proxy:
    """Passes TCP connections on to a service, well or badly.

    The service itself is not touched: what a test does without the proxy works on. A
    thread has the proxy's event loop, so that it works while a test waits.
    """

    def __init__(self, service: Endpoint) -> None:
        self._service = service
        self._passes, self._is_prompt = asyncio.Event(), asyncio.Event()
        self._passes.set()
        self._is_prompt.set()
        self._latency = 0.0  # seconds
        self._left: int | None = None  # bytes that may still be answered
        self._connections: set[asyncio.Task[None]] = set()
        self._socket = _hold(0)
        ports = {**service.ports, "port": self._socket.getsockname()[1]}
        # Where the application finds the service.
        self.endpoint = replace(service, host="127.0.0.1", ports=ports)
        self._loop = asyncio.SelectorEventLoop()  # has add_reader(), on Windows too
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections, and end those that are open."""
        self._run(self._refuse())
        try:
            yield
        finally:
            self._run(self._listen())

    @contextmanager
    def blackhole(self) -> Iterator[None]:
        """Take connections and requests, and answer nothing, as a lost network does."""
        self._loop.call_soon_threadsafe(self._passes.clear)
        try:
            yield
        finally:
            # What was not answered never will be: TCP would take minutes to say so.
            self.reset()
            self._loop.call_soon_threadsafe(self._passes.set)

    @contextmanager
    def latency(self, seconds: float) -> Iterator[None]:
        """Hold back every part of an answer for so long."""
        self._latency = seconds
        self._loop.call_soon_threadsafe(self._is_prompt.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._is_prompt.set)

    @contextmanager
    def limit_bytes(self, limit: int) -> Iterator[None]:
        """End connections when so many bytes were answered, in all of them together.

        With 0, what a client asks for is done, and it does not learn of it.
        """
        self._loop.call_soon_threadsafe(setattr, self, "_left", limit)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(setattr, self, "_left", None)

    @contextmanager
    def leading_to(self, service: Endpoint) -> Iterator[None]:
        """Pass connections on to another service of the kind."""
        usual, self._service = self._service, service
        self.reset()
        try:
            yield
        finally:
            self._service = usual
            self.reset()

    def reset(self) -> None:
        """End all open connections at once, as a server does that crashes."""
        self._run(self._end_connections())

    def close(self) -> None:
        """End all connections, and let the port go."""
        self._run(self._refuse())
        self._socket.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def read_answer(self, answers: asyncio.StreamReader) -> bytes:
        """Give the next part of an answer, or nothing at its end: override it."""
        return await answers.read(_PART)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _listen(self) -> None:
        self._socket.listen()
        # asyncio's own server forgets connections when it is closed while they come.
        self._loop.add_reader(self._socket, self._accept)

    async def _refuse(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._socket = _hold(self.endpoint.port)
        await self._end_connections()

    async def _end_connections(self) -> None:
        await _end(*self._connections)

    def _accept(self) -> None:
        accepted, _ = self._socket.accept()
        accepted.setblocking(False)
        connection = self._loop.create_task(self._connect(accepted))

        def forget(connection: asyncio.Task[None]) -> None:
            self._connections.remove(connection)
            if connection.cancelled():  # before it began
                accepted.close()

        self._connections.add(connection)
        connection.add_done_callback(forget)

    async def _connect(self, accepted: socket.socket) -> None:
        ends = []
        try:
            requests, client = await asyncio.open_connection(sock=accepted)
            ends.append(client)
            answers, server = await asyncio.open_connection(
                self._service.host, self._service.port
            )
            ends.append(server)
            passing = (
                asyncio.create_task(self._pass_requests(requests, server)),
                asyncio.create_task(self._pass_answers(answers, client)),
            )
            try:
                # When one side ends, so does the other.
                await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(*passing)
        except OSError:
            pass  # the service is not there, and the client learns it now
        except asyncio.CancelledError:
            for end in ends:
                _reset(end)
        finally:
            for end in ends:
                end.close()

    async def _pass_requests(
        self, requests: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        while part := await requests.read(_PART):
            await self._passes.wait()
            server.write(part)
            await server.drain()

    async def _pass_answers(
        self, answers: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        while part := await self.read_answer(answers):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._latency):
                    await self._is_prompt.wait()
            await self._passes.wait()
            if self._left is not None:
                part = part[: self._left]
                self._left -= len(part)
            client.write(part)
            if self._left == 0:
                break
            await client.drain()


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _reset(end: asyncio.StreamWriter) -> None:
    """End a connection as a crash does: the other side gets an error, not an end."""
    connection: socket.socket = end.get_extra_info("socket")
    for_no_time = struct.pack("ii", 1, 0)
    with suppress(OSError):  # it has just ended by itself
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, for_no_time)
    end.transport.abort()


def _hold(port: int) -> socket.socket:
    """Have a port of this machine without listening: connections are refused."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    held.setblocking(False)
    return held
