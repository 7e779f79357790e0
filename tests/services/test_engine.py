"""The Docker engine is on another machine, or goes away in the middle of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import MakeRepository, Repository, docker

REDIS = "tests/integration/test_redis.py"
WAIT = """\
from pathlib import Path
import time

import pytest

pytestmark = pytest.mark.anyio


async def test_waits(cache_client):
    Path("asleep").touch()
    while not Path("wake").exists():
        time.sleep(0.1)
    await cache_client.ping()


async def test_a_later_one(cache_client):
    await cache_client.ping()
"""


class Engine:
    """A Docker engine with a network of its own: a machine of its own, but for files.

    Engines that share a network would remove each other's bridges and rules.
    """

    name = "testbed-engine"
    here, address = "10.213.254.1", "10.213.254.2"
    host = f"tcp://{address}:2375"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = f"unix://{folder}/socket"
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        """Lay the cable between this machine and the engine's."""
        for command in (
            f"netns add {self.name}",
            f"link add tb-here type veth peer name tb-there netns {self.name}",
            f"address add {self.here}/30 dev tb-here",
            "link set tb-here up",
            f"-n {self.name} address add {self.address}/30 dev tb-there",
            f"-n {self.name} link set tb-there up",
            f"-n {self.name} link set lo up",
        ):
            subprocess.run(["ip", *command.split()], check=True)

    def disconnect(self) -> None:
        """Remove the cable, and the engine's network."""
        subprocess.run(["ip", "link", "delete", "tb-here"], check=True)
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    # Not `ip netns exec`, which hides the control groups.
                    *("nsenter", f"--net=/run/netns/{self.name}", "dockerd"),
                    *("--data-root", self._folder / "data"),
                    *("--exec-root", self._folder / "exec"),
                    *("--pidfile", self._folder / "pid"),
                    *("--host", self.host, "--host", self.socket, "--tls=false"),
                    *("--containerd-namespace", self.name),
                    *("--containerd-plugins-namespace", f"{self.name}-plugins"),
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while self.docker("info").returncode:
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it, and all of its containers."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=60)

    def docker(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run a docker command on it."""
        command = ["docker", "--host", self.host, *arguments]
        return subprocess.run(command, capture_output=True)


@pytest.fixture(scope="module")
def engine(images: dict[str, str]) -> Iterator[Engine]:
    """An engine that has the image of Redis."""
    if os.geteuid() or not shutil.which("dockerd") or not shutil.which("ip"):
        pytest.skip("an engine of our own needs root, dockerd and ip")
    folder = Path(tempfile.mkdtemp(prefix="testbed-engine-"))
    engine = Engine(folder)
    engine.connect()
    try:
        engine.start()
        image = images.get("REDIS_IMAGE", "redis:8.4.0")
        docker("save", "--output", f"{folder}/image", image)
        engine.docker("load", "--input", f"{folder}/image")
        yield engine
    finally:
        engine.stop()
        engine.disconnect()
        shutil.rmtree(folder)


@pytest.fixture
def repository(make_repository: MakeRepository, engine: Engine) -> Repository:
    """A repository whose Docker is that engine."""
    repository = make_repository(broker="none")
    repository.environment["DOCKER_HOST"] = engine.host
    repository.environment["TEST_DOCKER_ADDRESS"] = engine.address
    return repository


def test_services_on_another_machine_are_reached_at_its_address(
    repository: Repository,
) -> None:
    result = repository.pytest(REDIS, "-n", "2")
    assert result.code == 0, result.output
    repository.wait_until_nothing_is_left()


def test_without_that_address_another_machine_is_left_alone(
    repository: Repository,
) -> None:
    del repository.environment["TEST_DOCKER_ADDRESS"]
    result = repository.pytest(REDIS)
    assert result.code == 1
    assert f"Docker is on another machine, at {Engine.address}" in result.output
    assert "set TEST_DOCKER_ADDRESS to its IPv4 address" in result.output
    assert repository.containers() == {}


def test_where_a_socket_leads_elsewhere_the_message_asks_for_the_address(
    repository: Repository, engine: Engine
) -> None:
    """As in a container that has Docker's socket."""
    del repository.environment["TEST_DOCKER_ADDRESS"]
    repository.environment["DOCKER_HOST"] = engine.socket
    lifecycle = repository.path / "tests/integration/support/lifecycle.py"
    text = lifecycle.read_text()
    assert "ANSWERS_WITHIN = 30.0" in text
    lifecycle.write_text(text.replace("ANSWERS_WITHIN = 30.0", "ANSWERS_WITHIN = 1.0"))
    result = repository.pytest(REDIS)
    assert result.code == 1
    assert "Redis at 127.0.0.1:" in result.output
    assert (
        "Where Docker is on another machine, or pytest in a container" in result.output
    )
    assert "TEST_DOCKER_ADDRESS" in result.output
    repository.wait_until_nothing_is_left()


@pytest.mark.parametrize("back_before_the_test_fails", [True, False])
def test_after_an_engine_that_stopped_the_next_run_is_green(
    repository: Repository, engine: Engine, back_before_the_test_fails: bool
) -> None:
    module = repository.add_test("waits", WAIT)
    run = repository.start_pytest(module)
    deadline = time.monotonic() + 60
    while not (repository.path / "asleep").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)

    engine.stop()
    if back_before_the_test_fails:
        engine.start()
    (repository.path / "wake").touch()
    output, _ = run.communicate(timeout=120)
    if back_before_the_test_fails:
        assert "Redis was lost during the run" in output
        assert "its container ended with exit code" in output
    else:
        engine.start()
        assert "Cannot connect to the Docker daemon" in output

    (repository.path / module).unlink()
    result = repository.pytest(REDIS)
    assert result.code == 0, result.output
    repository.wait_until_nothing_is_left()
