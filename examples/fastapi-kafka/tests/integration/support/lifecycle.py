"""Services start when the first test asks for one, and stop with the last run.

Managed by Testbed: updates change this file.

TEST_<SERVICE>_HOST in the environment: somebody else runs that service, we do not.
TEST_KEEP_SERVICES=1, or --keep-services: what runs is left running for the next time.
TEST_SERVICES_REPORT=1, or --services-report: in the end, a table of what was used.
Nothing here hangs on hooks of pytest's controller: called from a repository's root, the
controller of pytest-xdist never loads this folder's conftest.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import NoReturn

import pytest
from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_delay,
    wait_fixed,
)

from . import compose, options, reaper, report
from .compose import COMPOSE_FILE, Container, DockerError, NoDocker, NoImage
from .endpoints import SERVICES, BadVariable, Endpoint, Service, external_endpoint
from .guard import (
    NotForTests,
    admit,
    refuse_docker_elsewhere,
    refuse_unless_for_tests,
)
from .locks import locked
from .processes import PROJECT, STATE, Process, forget_ended_processes

HEALTHY_WITHIN = 180.0  # seconds, for containers to become healthy
ANSWERS_WITHIN = 30.0  # seconds, for a healthy service to answer a client on the host
STARTS_WITHIN = 120.0  # seconds, for one that others may have started just now
WATCH_EVERY = 15.0  # seconds, between two looks at the containers


@dataclass(slots=True)
class Use:
    """A service that has answered, and what this process does with it.

    `own` is the part of the server for this process alone, as soon as that is made;
    `activity` gives what the server is doing there, where that tells of a problem.
    """

    server: Endpoint
    own: Endpoint
    activity: Callable[[Endpoint], str] | None
    version: str
    answered_in: float  # seconds
    answered_at: float  # in seconds since 1970
    tests: int = 0


class Services:
    """The services as one test process sees them; use the fixtures of each service."""

    key = pytest.StashKey["Services"]()

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        session.config.stash[self.key] = self
        self.containers: dict[str, Container] = {}
        self.uses: dict[str, Use] = {}
        self._started_in: dict[str, float] = {}
        self._lost_in_the_end: dict[str, str] = {}
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def require(
        self,
        name: str,
        probe: Callable[[Endpoint], str],
        activity: Callable[[Endpoint], str] | None = None,
    ) -> Endpoint:
        """Give the endpoint of a service that has just answered; start it if need be.

        `probe` does one authenticated operation, gives the server's version if that is
        told, and raises on failure. Without the service the test that asks fails, and
        the run ends: later ones would fail alike. For `activity`, see `Use`.
        """
        service = SERVICES[name]
        try:
            endpoint = external_endpoint(service) or self._start(service)
            refuse_unless_for_tests(endpoint)
            admit(endpoint)
            if endpoint.external:
                with self.terminal():
                    say(f"using {endpoint}, as soon as it answers")
            began = time.monotonic()
            version = wait_for_answer(endpoint, probe)
            self.uses[name] = Use(
                server=endpoint,
                own=endpoint,
                activity=activity,
                version=version,
                answered_in=time.monotonic() - began,
                answered_at=time.time(),
            )
            return endpoint
        except (DockerError, NotForTests, NoAnswer, BadVariable) as error:
            message = explain(service, error)
        self.give_up(service, message)

    def give_up(self, service: Service, message: str) -> NoReturn:
        """Fail the test that asks for a service, and end the run."""
        self._session.shouldfail = f"{service.title} is not available"
        pytest.fail(message, pytrace=False)

    def _start(self, service: Service) -> Endpoint:
        if not self.containers:  # before the engine is asked anything
            refuse_docker_elsewhere(compose.engine_address())
        with locked(reaper.START_LOCK):
            found = compose.containers()
            container = ready(service, found)
            if container is None:
                self._start_containers(service, found)
                container = ready(service, compose.containers())
            if self._keep:
                reaper.forget()
            elif reaper.started():
                reaper.start()
        if container is None:
            raise DockerError("its container stopped as soon as it was healthy")
        self.containers[service.name] = container
        return Endpoint(
            service=service,
            host=os.environ.get("TEST_DOCKER_ADDRESS") or "127.0.0.1",
            ports=published_ports(service, container),
            user=service.user,
            password=service.password,
            database=service.database,
            external=False,
        )

    def _start_containers(self, service: Service, found: list[Container]) -> None:
        # With it, the others that collected tests use: started together, one wait does.
        wanted = [
            other
            for other in SERVICES.values()
            if (other is service or self._is_used(other))
            and not ready(other, found)
            and not external_endpoint(other)
        ]
        names = [other.name for other in wanted]
        with self.terminal():
            if missing := compose.missing_images(names):
                say(f"pulling {', '.join(missing)} ...")
                compose.pull(names)
            say(f"starting {', '.join(names)} ...")
            if self._keep:
                say(f"to stop them: docker compose -p {PROJECT} down --volumes")
        began = time.monotonic()
        with reaper.remembered(names):
            try:
                compose.start(names, HEALTHY_WITHIN, choose_ports(wanted))
            except DockerError:
                if not ready(service, compose.containers()):
                    raise
        self._started_in.update(dict.fromkeys(names, time.monotonic() - began))

    def note_use(self, item: pytest.Item) -> None:
        """Note which services a test uses, and the part of each that is ours."""
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Endpoint) and (
                use := self.uses.get(value.service.name)
            ):
                if value is use.server:
                    use.tests += 1
                else:
                    use.own = value

    def _is_used(self, service: Service) -> bool:
        return any(
            service.name in getattr(item, "fixturenames", ())
            for item in self._session.items
        )

    def rows(self) -> Iterator[report.Row]:
        """What a report says of the services that this process started or used."""
        for name, seconds in self._started_in.items():
            yield report.Row(SERVICES[name].title, started_in=seconds)
        for name, use in self.uses.items():
            container = self.containers.get(name)
            yield report.Row(
                service=use.server.service.title,
                image=container.image if container else "",
                version=use.version,
                address=f"{use.server.host}:{use.server.port}",
                user=use.server.user,
                database=use.own.database,
                external=use.server.external,
                answered_in=use.answered_in,
                tests=use.tests,
            )

    def lost(self) -> dict[str, str]:
        """What became of the containers that are no longer as they were, by service.

        Once the run has ended, what it was then: it removes them itself.
        """
        if self._ended.is_set():
            return self._lost_in_the_end
        if not self.containers:
            return {}
        now = {(c.project, c.service): c for c in compose.containers()}
        lost = {}
        for name, before in list(self.containers.items()):  # which another thread fills
            container = now.get((before.project, name))
            if container is None:
                lost[name] = "its container is gone"
            elif container.started != before.started:
                lost[name] = "its container was started again"
            elif not container.is_ready:
                lost[name] = str(container)
        return lost

    def end(self) -> None:
        """Stop watching the containers, which are removed from now on."""
        with suppress(DockerError):
            self._lost_in_the_end = self.lost()
        self._ended.set()

    def _watch(self) -> None:
        """Say when a container is lost: a test may wait for a paused one for ever."""
        before: dict[str, str] = {}
        while not self._ended.wait(WATCH_EVERY):
            with suppress(DockerError):
                lost = self.lost()
                # Seen twice, as a test may stop a service for a while on purpose.
                for name in lost.keys() & before.keys():
                    with self.terminal():
                        say(f"{SERVICES[name].title} is lost: {lost[name]}.")
                before = lost

    @property
    def _keep(self) -> bool:
        return options.is_set(self._session.config, "keep_services")

    @contextmanager
    def terminal(self) -> Iterator[None]:
        """Let output through; pytest would show it after a failure only."""
        capture = self._session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            yield


class NoAnswer(Exception):
    """A service is there, but its answer to a client is an error or does not come."""


class LoginRefused(NoAnswer):
    """A service is ready and refuses the login, so that waiting changes nothing."""

    def __init__(self, endpoint: Endpoint, reason: object) -> None:
        super().__init__(f"{endpoint} refuses the login: {reason}")


def wait_for_answer(
    endpoint: Endpoint,
    probe: Callable[[Endpoint], str],
    *,
    seconds: float | None = None,
) -> str:
    """Call `probe` until it succeeds, or raises what is there to stay.

    A healthy container need not be reachable from the host yet, and services of a CI
    system are there at once but not ready. Raises NoAnswer with the last error.
    """
    seconds = seconds or (STARTS_WITHIN if endpoint.external else ANSWERS_WITHIN)
    attempts = Retrying(
        stop=stop_after_delay(seconds),
        wait=wait_fixed(0.1),
        # Not Ctrl-C, which is no Exception.
        retry=retry_if_exception_type()
        & retry_if_not_exception_type((NotForTests, LoginRefused)),
        reraise=True,
    )
    try:
        return attempts(probe, endpoint)
    except (NotForTests, LoginRefused):
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__  # a TimeoutError says nothing
        raise NoAnswer(
            f"{endpoint} did not answer within {seconds:.0f} s: {reason}"
        ) from error


def ready(service: Service, containers: list[Container]) -> Container | None:
    """The container of a service that is healthy now, if there is one."""
    mine = (c for c in containers if c.service == service.name and c.is_ready)
    return next(mine, None)


def choose_ports(services: Iterable[Service]) -> dict[str, str]:
    """TEST_<SERVICE>_PORT, where unset, for services that advertise their port."""
    variables = [each.variable("port") for each in services if each.advertises_port]
    return {name: str(free_port()) for name in variables if not os.environ.get(name)}


def free_port() -> int:
    """A port below those that systems hand out by themselves, so that it stays free."""
    chance = random.SystemRandom()  # plugins give every run the same seed
    while True:
        with socket.socket() as free:
            with suppress(OSError):
                free.bind(("127.0.0.1", port := chance.randrange(20000, 32768)))
                return port


def published_ports(service: Service, container: Container) -> dict[str, int]:
    """The ports on the host, by their names."""
    if service.advertises_port:
        return {"port": min(container.ports.values())}  # its only one
    return {name: container.ports[number] for name, number in service.ports.items()}


def state(service: Service) -> str:
    """What the containers of a service are doing, and what they said last."""
    with suppress(DockerError):
        return "".join(
            f"\nNow {container}. It said last:\n{compose.logs(container) or '-'}"
            for container in compose.containers()
            if container.service == service.name
        )
    return ""


def explain(service: Service, error: Exception) -> str:
    """One message for a missing service: what is wrong, and what to do."""
    if isinstance(error, NotForTests | BadVariable):
        return str(error)
    host, port = service.variable("host"), service.variable("port")
    ports = [service.variable(name) for name in service.ports]
    fixed = [name for name in ports if os.environ.get(name)]
    compose_command = f"docker compose -f {COMPOSE_FILE.name}"
    elsewhere = f"set {host} and {port} to a server that is there for tests."
    if external_endpoint(service):
        login = [service.variable("user"), service.variable("password")]
        check = login if isinstance(error, LoginRefused) else ["it", *ports]
        advice = (
            f"{host} is set: check {' and '.join(check)}, or unset it to use Docker."
        )
        return f"{service.title} is not available: {error}\n{advice}"
    if isinstance(error, NoDocker):
        advice = f"Start Docker, until `docker info` shows its server; or {elsewhere}"
    elif isinstance(error, NoImage):
        advice = (
            f"Try `{compose_command} pull`, or have <SERVICE>_IMAGE name another one;"
            f" or {elsewhere}"
        )
    elif isinstance(error, NoAnswer):
        advice = (
            "Where Docker is on another machine, or pytest in a container, set"
            " TEST_DOCKER_ADDRESS: README.md beside the tests tells how."
        )
    elif fixed and "already" in str(error):  # allocated, or in use
        advice = (
            f"Its port is fixed: unset {', '.join(fixed)} to have a free one, or try"
            f" `docker ps --filter publish={os.environ[fixed[0]]}` to see who has it."
        )
    else:
        advice = f"Try `{compose_command} up {service.name}`, or {elsewhere}"
    return f"{service.title} is not available: {error}{state(service)}\n{advice}"


def say(message: str) -> None:
    """Tell what takes a while."""
    print(f"\ntestbed: {message}", file=sys.stderr, flush=True)


@pytest.fixture(scope="session")
def process(pytestconfig: pytest.Config) -> Iterator[Process]:
    """This test process, with the name that it gives to all it makes on servers."""
    process = Process()
    with locked(reaper.START_LOCK):
        forget_ended_processes()
        process.announce()
    yield process
    if options.is_set(pytestconfig, "services_report"):
        _leave_with_report(pytestconfig, process)
    else:
        process.leave()
    # The first process of a container takes the reaper along when it ends.
    if any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))):
        reaper.wait_until_stopped()


def _leave_with_report(config: pytest.Config, process: Process) -> None:
    """Let the last process of a run show what all of them used."""
    services = config.stash.get(Services.key, None)
    with locked(STATE / "report.lock"):
        rows = report.add(process.run, services.rows() if services else [])
        process.leave()
        is_last = not process.companions()
    if services and is_last:
        # After pytest's own last line; a worker has no more than its standard error.
        config.add_cleanup(lambda: say(f"services\n{report.table(rows)}"))


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest, process: Process) -> Iterator[Services]:
    """Starts the services; tests ask for one service's own fixture instead."""
    services = Services(request.session)
    if process.is_first and not report.has_header(request.config):
        with services.terminal():
            say(report.header(request.config))
    yield services
    services.end()
