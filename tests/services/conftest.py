"""Repositories whose tests run on real servers, in containers of a Docker engine."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ..stacks import write_django_project

ROOT = Path(__file__).parents[2]

# The migrated database of services that are kept; it is there on purpose.
KEPT_TEMPLATE = re.compile(r"test_[0-9a-f]{6}_template_[0-9a-f]{12}")

# Our own environment has more pytest plugins than a rendered repository.
PLUGINS_OF_A_REPOSITORY = ["anyio", "pytest_httpserver", "recording", "xdist"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs an engine where none answers, and say why."""
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        reason = "no Docker engine answers (`docker info` tells why)"
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def images(render: Callable[..., Path]) -> dict[str, str]:
    """The images to run: those that <SERVICE>_IMAGE names, the official ones where they
    can be pulled, and else the stand-ins that tests/stand_ins builds."""
    chosen = {name: os.environ[name] for name in os.environ if name.endswith("_IMAGE")}
    if chosen:
        return chosen
    compose = ["docker", "compose", "-f", render() / "docker-compose.test.yml"]
    pull = [*compose, "pull", "--quiet", "--policy", "missing"]
    if subprocess.run(pull, capture_output=True).returncode == 0:
        return {}
    script = ROOT / "tests" / "stand_ins" / "build.sh"
    exports = subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True)
    lines = (line.removeprefix("export ") for line in exports.stdout.splitlines())
    return dict(line.split("=", 1) for line in lines)


@dataclass
class Result:
    """How a call of pytest ended."""

    code: int
    output: str

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of the last line: `3 passed, 1 failed in 0.1s`."""
        last = self.output.strip().splitlines()[-1]
        found = re.findall(r"(\d+) ([a-z]+)[, ]", last.split(" in ")[0] + " ")
        return {word: int(number) for number, word in found}


@dataclass
class Repository:
    """A repository with a test bed, in a folder of its own."""

    path: Path
    environment: dict[str, str]
    plugins: list[str] = field(default_factory=lambda: [*PLUGINS_OF_A_REPOSITORY])
    python: str = sys.executable
    # What runs pytest, such as a shell in a container would.
    wrapper: list[str] = field(default_factory=list)

    def pytest(self, *arguments: str, **variables: str) -> Result:
        """Run pytest in the root of the repository, to its end."""
        run = self.start_pytest(*arguments, **variables)
        output, _ = run.communicate(timeout=600)
        return Result(run.returncode, output)

    def start_pytest(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start pytest in the root of the repository, with the plugins it has alone.

        It is the leader of a process group, to be interrupted as one.
        """
        plugins = [part for name in self.plugins for part in ("-p", name)]
        return subprocess.Popen(
            [*self.wrapper, self.python, "-m", "pytest", *plugins, *arguments],
            cwd=self.path,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # A shell that runs us in the background has told us to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` on its compose file, without a project name of ours."""
        return subprocess.run(
            ["docker", "compose", "-f", "docker-compose.test.yml", *arguments],
            cwd=self.path,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def containers(self) -> dict[str, str]:
        """The ids of its containers by service, running or not."""
        label = "com.docker.compose.project.config_files"
        file = self.path / "docker-compose.test.yml"
        columns = '{{.Label "com.docker.compose.service"}} {{.ID}}'
        listed = docker(
            *("ps", "--all", "--no-trunc", "--format", columns),
            *("--filter", f"label={label}={file}"),
            environment=self.environment,
        )
        return dict(line.split() for line in listed.splitlines())

    def networks(self) -> set[str]:
        """The networks of the Compose project that pytest makes for this repository."""
        token = self.path / ".testbed" / "token"
        if not token.exists():
            return set()
        identity = f"{socket.gethostname()}:{self.path.resolve()}:{token.read_text()}"
        checkout = hashlib.sha256(identity.encode()).hexdigest()[:6]
        list_names = ("network", "ls", "--format", "{{.Name}}")
        names = docker(*list_names, environment=self.environment).split()
        return {name for name in names if f"-test-{checkout}" in name}

    def execute(self, service: str, *command: str) -> str:
        """Run a command in the container of a service."""
        container = self.containers()[service]
        return docker("exec", container, *command, environment=self.environment)

    def add_test(self, name: str, body: str) -> str:
        """Write a test module; give its path as pytest takes it."""
        path = self.path / "tests" / "integration" / f"test_{name}.py"
        path.write_text(body)
        return str(path.relative_to(self.path))

    def wait_for_others(self, seconds: int) -> None:
        """Have a service that others start answer within these seconds, not 120."""
        lifecycle = self.path / "tests" / "integration" / "support" / "lifecycle.py"
        text = lifecycle.read_text()
        assert "STARTS_WITHIN = 120.0" in text
        lifecycle.write_text(text.replace("WITHIN = 120.0", f"WITHIN = {seconds}.0"))

    def leftovers(self) -> dict[str, list[str]]:
        """What is on the servers that only tests make, by service; no kept template."""
        databases = "SELECT datname FROM pg_database"
        list_kafka = "/opt/kafka/bin/kafka-{}.sh --bootstrap-server kafka:19092 --list"
        questions = {
            "postgres": f"psql -h127.0.0.1 -Utest -Atc '{databases}'",
            "mysql": "mysql -h127.0.0.1 -uroot -ptest -NBe 'SHOW DATABASES'",
            "redis": "redis-cli INFO keyspace",
            "valkey": "valkey-cli INFO keyspace",
            "rabbitmq": "rabbitmqctl -q list_vhosts --no-table-headers",
            "kafka": "; ".join(map(list_kafka.format, ["topics", "consumer-groups"])),
        }
        # What there is when nobody has run a test.
        own = {
            *("postgres", "template0", "template1", "test"),
            *("information_schema", "mysql", "performance_schema", "sys"),
            *("# Keyspace", "/", "__consumer_offsets"),
        }
        return {
            service: [
                line
                for line in self.execute(service, "sh", "-c", question).splitlines()
                if line and line not in own and not KEPT_TEMPLATE.fullmatch(line)
            ]
            for service, question in questions.items()
            if service in self.containers()
        }

    def wait_until_nothing_is_left(self, seconds: float = 30) -> None:
        """Fail unless containers and networks are gone in time."""
        deadline = time.monotonic() + seconds
        while self.containers() or self.networks():
            assert time.monotonic() < deadline, (self.containers(), self.networks())
            time.sleep(0.2)

    def remove_containers(self) -> None:
        """Take down whatever is left, for the sake of the tests that follow."""
        # Unchecked, as the repository's own reaper may be at it, too.
        for remove in (
            ["rm", "--force", "--volumes", *self.containers().values()],
            ["network", "rm", "--force", *self.networks()],
        ):
            command = ["docker", *remove]
            subprocess.run(command, env=self.environment, capture_output=True)


def docker(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run a docker command that must succeed."""
    return subprocess.run(
        ["docker", *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


MakeRepository = Callable[..., Repository]


@pytest.fixture
def make_repository(
    render: Callable[..., Path], images: dict[str, str], tmp_path: Path
) -> Iterator[MakeRepository]:
    """Makes a rendered repository, whose containers end with the test."""
    made: list[Repository] = []

    def make(
        name: str = "shop", source: Path | None = None, **answers: object
    ) -> Repository:
        path = tmp_path / name
        shutil.copytree(source or render(**answers), path, dirs_exist_ok=True)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TEST_")},
            **images,
            "PYTHONPATH": str(path / "src"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        environment.pop("PYTEST_XDIST_TESTRUNUID", None)
        environment.pop("PYTEST_XDIST_WORKER", None)
        made.append(Repository(path, environment))
        if answers.get("framework") == "django":
            made[-1].plugins.append("django")
        write_django_project(path, answers)
        return made[-1]

    yield make
    for repository in made:
        repository.remove_containers()
