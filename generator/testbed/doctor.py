"""What stands in the way of tests or of updates: a line each, with the way out."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .errors import UserError
from .git import git_version
from .history import History
from .project import State, open_project, read_state
from .template import read_yaml
from .update import MERGE_TREE_SINCE, check

COMPOSE_FILE = "docker-compose.test.yml"
ENGINE_SINCE = 25  # has `start_interval`
DISK_SPACE = 3  # GB: what the largest images of a bed take, unpacked


@dataclass(frozen=True)
class Finding:
    """One line: its level, what was looked at and found, and what to do."""

    level: Literal["ok", "warning", "error"]
    what: str
    next: str = ""


def diagnose(repository: Path, answers_file: str | None) -> Iterator[Finding]:
    """Look at this machine, and then at a repository and its state."""
    yield _git()
    yield _disk(repository)
    compose_file = repository / COMPOSE_FILE
    services = _services(compose_file)
    external = {name for name in services if os.environ.get(_variable(name, "HOST"))}
    for name in sorted(external):
        yield _server(name, services[name])
    if services.keys() - external or not services:
        yield from _docker(compose_file)
    for name in sorted(services.keys() - external):
        if port := os.environ.get(_variable(name, "PORT")):
            yield _port(name, port)
    yield from _state(repository, answers_file)


def _git() -> Finding:
    version = ".".join(map(str, git_version()))
    if git_version() < MERGE_TREE_SINCE:
        return Finding(
            "warning",
            f"git {version}: `testbed update` calls Copier, which loses some edits",
            "install git 2.38 or newer",
        )
    return Finding("ok", f"git {version}")


def _disk(repository: Path) -> Finding:
    free = shutil.disk_usage(repository).free // 10**9
    if free < DISK_SPACE:
        return Finding("warning", f"disk: {free} GB are free", "docker system prune")
    return Finding("ok", f"disk: {free} GB are free")


def _docker(compose_file: Path) -> Iterator[Finding]:
    start = "start Docker, until `docker info` shows its server"
    if not shutil.which("docker"):
        yield Finding("error", "Docker: there is no command `docker`", "install Docker")
        return
    asked = _run("docker", "version", "--format", "{{.Server.Version}}")
    if asked.returncode:
        reason = asked.stderr.strip().splitlines() or ["no engine answers"]
        yield Finding("error", f"Docker: {reason[-1]}", start)
        return
    version = asked.stdout.strip()
    if (major := re.match(r"\d+", version)) and int(major[0]) < ENGINE_SINCE:
        yield Finding(
            "error",
            f"Docker Engine {version}: health checks need {ENGINE_SINCE} or newer",
            "update Docker",
        )
    else:
        yield Finding("ok", f"Docker Engine {version}")
    host = os.environ.get("DOCKER_HOST", "")
    if host.startswith(("tcp:", "ssh:")) and not os.environ.get("TEST_DOCKER_ADDRESS"):
        yield Finding(
            "error",
            f"Docker is on another machine: DOCKER_HOST is {host}",
            "set TEST_DOCKER_ADDRESS to its address, or unset DOCKER_HOST",
        )
    asked = _run("docker", "compose", "version", "--short")
    if asked.returncode:
        yield Finding(
            "error",
            "Docker Compose: there is no `docker compose`",
            "install its plugin",
        )
        return
    yield Finding("ok", f"Docker Compose {asked.stdout.strip()}")
    if compose_file.exists():
        yield from _images(compose_file)


def _images(compose_file: Path) -> Iterator[Finding]:
    compose = ("docker", "compose", "-f", str(compose_file))
    asked = _run(*compose, "config", "--images")
    if asked.returncode:
        reason = asked.stderr.strip().splitlines()[-1]
        yield Finding(
            "error", f"{compose_file.name}: {reason}", f"git diff {compose_file}"
        )
        return
    for image in sorted(asked.stdout.split()):
        if _run("docker", "image", "inspect", image).returncode:
            pull = f"docker compose -f {compose_file.name} pull"
            yield Finding("warning", f"image {image}: is not here yet", pull)
        else:
            yield Finding("ok", f"image {image}")


def _services(compose_file: Path) -> dict[str, dict[str, Any]]:
    """Those that the file has, as far as it can be read: Compose says what is wrong."""
    try:
        compose = read_yaml(compose_file.read_text(encoding="utf-8"), COMPOSE_FILE)
    except (OSError, UnicodeDecodeError, UserError):
        return {}
    services = compose.get("services") if isinstance(compose, dict) else None
    if not isinstance(services, dict):
        return {}
    return {str(name): each for name, each in services.items() if each}


def _variable(service: str, part: str) -> str:
    return f"TEST_{service.upper()}_{part}"


def _server(name: str, service: dict[str, Any]) -> Finding:
    """A server that TEST_<SERVICE>_HOST names."""
    host = os.environ[_variable(name, "HOST")]
    # `<address>:<variable>:<port>`, as our compose files publish ports.
    published = service.get("ports") or [""]
    default = str(published[0]).rpartition(":")[2]
    port = os.environ.get(_variable(name, "PORT")) or default
    where = (
        f"{name}, as {_variable(name, 'HOST')} says: {host.rpartition('@')[2]}:{port}"
    )
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except (OSError, ValueError) as error:
        return Finding(
            "error",
            f"{where} does not answer: {error}",
            f"start it, or unset {_variable(name, 'HOST')} to use Docker",
        )
    return Finding("ok", f"{where} answers")


def _port(name: str, port: str) -> Finding:
    variable = _variable(name, "PORT")
    with socket.socket() as free:
        try:
            free.bind(("127.0.0.1", int(port)))
        except (OSError, ValueError, OverflowError):
            ours = _run(
                "docker", "ps", "--filter", f"publish={port}", "--format={{.Names}}"
            )
            if names := ours.stdout.split():
                return Finding(
                    "ok", f"{variable}: {port} is that of {', '.join(names)}"
                )
            return Finding(
                "error",
                f"{variable}: {port} is taken, or no port",
                f"unset {variable}, and a free one is taken",
            )
    return Finding("ok", f"{variable}: {port} is free")


def _state(repository: Path, answers_file: str | None) -> Iterator[Finding]:
    try:
        project = open_project(repository, None)
        state: State = read_state(project, answers_file)
        yield Finding("ok", f"{state.file}: {state.source} at {state.version}")
    except UserError as error:
        yield Finding("error", str(error))
        return
    try:
        result = check(project, state, History(state.source))
    except UserError as error:
        yield Finding("error", str(error))
        return
    if result.is_behind:
        behind = f"version: behind {result.newest.name}"
        yield Finding("warning", behind, "testbed update --dry-run --diff")
    else:
        yield Finding("ok", f"version: {result.version.name} is the newest")
    for path in result.half_merged:
        merged = f"{path}: has markers of a conflict"
        yield Finding("error", merged, "edit it, and remove them")
    for path in set(result.edited) - set(result.half_merged):
        edited = f"{path}: managed, and edited; updates merge it"
        yield Finding("warning", edited, f"git log -p -- {path}")
    for path in result.missing:
        missing = f"{path}: managed, and missing"
        yield Finding("warning", missing, "copier recopy --skip-answered brings it")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        hung = f"{' '.join(command[:2])} did not answer within 60 s"
        return subprocess.CompletedProcess(command, 1, "", hung)
