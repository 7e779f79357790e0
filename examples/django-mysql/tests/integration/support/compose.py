"""The few `docker` and `docker compose` commands that the test bed needs.

Managed by Testbed: updates change this file. Standard library only: the reaper uses it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .processes import CHECKOUT, PROJECT, ROOT

COMPOSE_FILE = ROOT / "docker-compose.test.yml"
# What pytest calls its project, in whichever checkout.
_BY_PYTEST = re.compile(re.escape(PROJECT.removesuffix(CHECKOUT)) + "[0-9a-f]{6}")
_NO_ENGINE = re.compile(r"connect to the docker (daemon|api)", re.IGNORECASE)
# Compose would read the application's .env else, for the variables of our file.
_NO_ENV_FILE = ["--env-file", os.devnull]
_OURS = ["-p", PROJECT, "-f", str(COMPOSE_FILE), *_NO_ENV_FILE]
# The label of a container that is one test's own: the name of the test process.
_OWNER = "testbed.owner"


class DockerError(Exception):
    """A docker command failed; the message is what it printed."""


class NoImage(DockerError):
    """An image is not here, and could not be pulled."""


class NoDocker(DockerError):
    """There is no `docker` command, or no engine that answers it."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container of docker-compose.test.yml.

    `ports` maps the port inside the container to the one on the host; `started` says
    when its server was started last, `complaint` what its health check printed last.
    """

    project: str
    service: str
    image: str
    started: str
    state: str
    health: str
    complaint: str
    exit_code: int
    out_of_memory: bool
    ports: Mapping[int, int]

    @property
    def is_ready(self) -> bool:
        """Whether it runs and its health check has succeeded."""
        return self.state == "running" and self.health == "healthy"

    def __str__(self) -> str:
        if self.state == "running":
            ports = ", ".join(map(str, self.ports.values())) or "none"
            check = self.health
            if not self.is_ready and self.complaint:
                check += f" ({self.complaint})"
            return f"its container is running, port: {ports}, health check: {check}"
        if self.state == "exited":
            reason = ", having used all its memory" if self.out_of_memory else ""
            return f"its container ended with exit code {self.exit_code}{reason}"
        return f"its container is {self.state}"


def docker(
    *arguments: str, timeout: float = 60, variables: Mapping[str, str] | None = None
) -> str:
    """Run a docker command; give what it prints on standard output.

    `variables` are added to the environment. Raises NoDocker when docker is missing,
    DockerError when the command fails or takes too long (`timeout`, in seconds).
    """
    try:
        return subprocess.run(
            ["docker", *arguments],
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            env={**os.environ, **(variables or {})},
        ).stdout
    except FileNotFoundError:
        raise NoDocker("the command `docker` was not found") from None
    except subprocess.CalledProcessError as error:
        message = error.stderr.strip() or error.stdout.strip()
        kind = NoDocker if _NO_ENGINE.search(message) else DockerError
        raise kind(message) from None
    except subprocess.TimeoutExpired:
        command = " ".join(["docker", *arguments[:2]])
        raise DockerError(f"`{command}` did not end in {timeout:.0f} s") from None


def compose(
    *arguments: str, timeout: float = 60, variables: Mapping[str, str] | None = None
) -> str:
    """Run a docker compose command on our project; see `docker`."""
    command = ("compose", "--progress", "quiet", *_OURS, *arguments)
    return docker(*command, timeout=timeout, variables=variables)


def containers() -> list[Container]:
    """The containers of our compose file, whoever started them, in any project.

    Without those that belong to one test.
    """
    label = "com.docker.compose.project.config_files"
    found = []
    for details in _inspect(f"label={label}"):
        labels = details["Config"]["Labels"]
        state = details["State"]
        health = state.get("Health", {})
        ports = details["NetworkSettings"]["Ports"]
        project = labels["com.docker.compose.project"]
        if _OWNER in labels:
            continue
        if project != PROJECT and _BY_PYTEST.fullmatch(project):
            continue  # a checkout at the same path, but in a container or the like
        # Several files are joined by commas, which a path may have, too.
        files = [labels[label], *labels[label].split(",")]
        if COMPOSE_FILE in (Path(file).resolve() for file in files):
            found.append(
                Container(
                    project=project,
                    service=labels["com.docker.compose.service"],
                    image=details["Config"]["Image"],
                    started=state["StartedAt"],
                    state=state["Status"],
                    health=health.get("Status", "none"),
                    complaint=_last_output(health),
                    exit_code=state["ExitCode"],
                    out_of_memory=state["OOMKilled"],
                    ports={
                        int(port.split("/")[0]): int(bindings[0]["HostPort"])
                        for port, bindings in ports.items()
                        if bindings
                    },
                )
            )
    return found


def _last_output(health: Mapping[str, Any]) -> str:
    checks = health.get("Log") or [{"Output": ""}]
    return " ".join(checks[-1]["Output"].split())


def _inspect(filter_: str) -> list[dict[str, Any]]:
    """What docker knows of the containers that a filter finds, running or not."""
    ids = docker("ps", "--all", "--quiet", "--filter", filter_).split()
    if not ids:
        return []
    # A container that is removed in between is an error, with the others printed still.
    inspect = ["docker", "inspect", *ids]
    try:
        printed = subprocess.run(inspect, capture_output=True, timeout=60).stdout
    except subprocess.TimeoutExpired:
        raise DockerError("`docker inspect` did not end in 60 s") from None
    details: list[dict[str, Any]] = json.loads(printed)
    return details


def engine_address() -> str:
    """Where the engine is, such as `unix:///var/run/docker.sock`."""
    if host := os.environ.get("DOCKER_HOST"):
        return host
    (context,) = json.loads(docker("context", "inspect"))
    return str(context["Endpoints"]["docker"]["Host"])


def missing_images(services: Iterable[str]) -> list[str]:
    """The images of these services that this machine does not have yet."""
    # The variables of the compose file are resolved here as `up` will resolve them.
    configuration = json.loads(compose("config", "--format", "json"))
    missing = []
    for service in services:
        image = configuration["services"][service]["image"]
        try:
            docker("image", "inspect", image)
        except DockerError:
            missing.append(image)
    return missing


def pull(services: Collection[str]) -> None:
    """Fetch images, with progress on the terminal; however long that takes.

    Raises NoImage when one cannot be had.
    """
    command = ["docker", "compose", *_OURS, "pull", *services]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        missing = ", ".join(missing_images(services))
        raise NoImage(f"{missing} could not be pulled, see above")


def start(
    services: Collection[str], timeout: float, variables: Mapping[str, str]
) -> None:
    """Start services and wait until all are healthy, at most `timeout` seconds.

    `variables` are for the compose file, beside those of the environment.
    """
    # What is still there of them was stopped, paused or never healthy.
    stop(services)
    up = ("up", "--detach", "--wait", "--wait-timeout", str(round(timeout)), *services)
    compose(*up, timeout=timeout + 30, variables=variables)


def stop(services: Collection[str]) -> None:
    """Remove these services of our project, and its network with the last of them."""
    # By label, without the compose file: it works when the checkout is gone, too.
    label = f"label=com.docker.compose.project={PROJECT}"
    found = _inspect(label)
    ours = [
        details["Id"]
        for details in found
        if details["Config"]["Labels"]["com.docker.compose.service"] in services
    ]
    if ours:
        docker("rm", "--force", "--volumes", *ours)
    if len(ours) == len(found):
        for network in docker("network", "ls", "--quiet", "--filter", label).split():
            docker("network", "rm", network)


def start_own(service: str, owner: str, variables: Mapping[str, str]) -> str:
    """Start one more container of a service, beside that which all share; give its id.

    `variables` are for the compose file, `owner` is the name of this test process.
    """
    run = ("run", "--detach", "--service-ports", "--label", f"{_OWNER}={owner}")
    return compose(*run, service, variables=variables).strip()


def check_own(container: str) -> None:
    """Raise DockerError unless a container, by its id, is healthy."""
    for details in _inspect(f"id={container}"):
        health = details["State"]["Health"]["Status"]
        if health != "healthy":
            raise DockerError(f"the test's own container is {health}")


def stop_own(is_unwanted: Callable[[str], bool]) -> None:
    """Stop and remove containers that belong to one test, by their owners' names."""
    unwanted = [
        details["Id"]
        for details in _inspect(f"label={_OWNER}")
        if is_unwanted(details["Config"]["Labels"][_OWNER])
    ]
    if unwanted:
        docker("stop", *unwanted)
        docker("rm", "--force", "--volumes", *unwanted)


def logs(container: Container, since: str = "", lines: int = 50) -> str:
    """The last log lines of a container, its standard output and error together.

    `since` is a time as `docker logs --since` takes it.
    """
    span = ["--since", since] if since else []
    try:
        # Compose, as `docker logs` keeps the two apart.
        return docker(
            *("compose", "-p", container.project, "-f", str(COMPOSE_FILE)),
            *("logs", "--no-color", "--no-log-prefix"),
            *("--tail", str(lines), *span, container.service),
            timeout=5,
        ).strip()
    except DockerError as error:
        return f"(no logs: {error})"
