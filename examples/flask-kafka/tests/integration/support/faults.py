"""What tests do to the services of the application, to see how it bears that.

Managed by Testbed: updates change this file.

The application of a test that asks for `faults` is behind proxies, one for each
service, which fails when it is told to. The service itself goes on, for the test and
for others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

import pytest

from .. import wiring
from . import compose
from .endpoints import Endpoint
from .guard import admit
from .kafka import KafkaProxy
from .lifecycle import HEALTHY_WITHIN, free_port, wait_for_answer
from .postgres import create, probe
from .processes import Process, is_abandoned
from .proxy import Proxy


@dataclass(frozen=True, slots=True)
class Faults:
    """The services of the application, each of which can be made to fail."""

    database: Proxy
    cache: Proxy
    broker: Proxy


@pytest.fixture(scope="session")
def proxies(
    database: Endpoint,
    cache: Endpoint,
    broker: Endpoint,
) -> Iterator[Faults]:
    """The proxies of this process, which no test has used that did not ask for them."""
    with ExitStack() as open_proxies:

        def opened(proxy: Proxy) -> Proxy:
            admit(proxy.endpoint)
            return open_proxies.enter_context(closing(proxy))

        yield Faults(
            database=opened(Proxy(database)),
            cache=opened(Proxy(cache)),
            broker=opened(KafkaProxy(broker)),
        )


@pytest.fixture
def faults(
    request: pytest.FixtureRequest, proxies: Faults, proxied_application: object
) -> Faults:
    """The application is behind proxies: `with faults.cache.down():`, and so on.

    The fixtures of the services themselves lead straight there, as always; what has the
    application's connections does not.
    """
    if not request.node.get_closest_marker("commits"):
        pytest.fail(
            "`faults` breaks connections, and transactions with them: mark the test"
            " `commits`.",
            pytrace=False,
        )
    return proxies


class Server:
    """A database server that one test has for itself, so that it may stop it."""

    def __init__(self, server: Endpoint, database: str, owner: str) -> None:
        self._server = server
        self._owner = owner
        self.database = replace(server, database=database)

    def start(self) -> None:
        """Start the server in a new container, and migrate its database."""
        service = self._server.service
        port = {service.variable("port"): str(self._server.port)}
        container = compose.start_own(service.name, self._owner, port)

        def probe_healthy(server: Endpoint) -> str:
            compose.check_own(container)
            return probe(server)

        wait_for_answer(self._server, probe_healthy, seconds=HEALTHY_WITHIN)
        create(self._server, self.database.database)
        wiring.migrate(self.database)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the server. Then it starts again, without what it held in memory."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def stop(self) -> None:
        """Shut the server down, and remove its container."""
        compose.stop_own(self._owner.__eq__)


@pytest.fixture
def own_database(
    postgres: Endpoint, database: Endpoint, process: Process, faults: Faults
) -> Iterator[Server]:
    """A database server of this test alone, which the application is led to.

    The fixtures of the services themselves lead to the one that all share.
    """
    if database.external:
        pytest.skip(f"{database} is run by others")
    compose.stop_own(is_abandoned)
    own = replace(postgres, ports={**database.ports, "port": free_port()})
    admit(own)
    server = Server(own, database.database, process.name)
    try:
        server.start()
        with faults.database.leading_to(server.database):
            yield server
    finally:
        server.stop()
