"""The services of a rendered compose file, and what the engine thinks of them."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .conftest import docker
from .half_started import HalfStarted


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
