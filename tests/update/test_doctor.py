"""`testbed doctor` names what is in the way, and the next command.

The engine is a command that says what a real one did: of older versions, or none.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Releases, Testbed

COMPOSE = """\
services:
  redis:
    image: redis:8
    ports: ["127.0.0.1:${TEST_REDIS_PORT:-0}:6379"]
"""
Docker = Callable[[str], dict[str, str]]


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    """The environment in which `docker` is this shell script, or missing if empty."""

    def docker(script: str) -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        git = shutil.which("git")
        assert git
        (folder / "git").symlink_to(git)
        if script:
            (folder / "docker").write_text(f"#!/bin/sh\n{script}\n")
            (folder / "docker").chmod(0o755)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TEST_")}
        return {**clean, "PATH": str(folder)}

    return docker


HEALTHY = """\
case "$*" in
  version*) echo 28.5.2 ;;
  "compose version"*) echo 2.40.3 ;;
  *config*) echo redis:8 ;;
esac
"""


@pytest.fixture
def repository(project: Path) -> Path:
    (project / "docker-compose.test.yml").write_text(COMPOSE)
    return project


def findings(result: object) -> dict[str, list[str]]:
    """What was found, by level."""
    found: dict[str, list[str]] = {"ok": [], "warning": [], "error": []}
    for each in json.loads(result.stdout):  # type: ignore[attr-defined]
        found[each["level"]].append(f"{each['what']} -> {each['next']}")
    return found


def test_where_all_is_well_every_line_says_so(
    repository: Path, testbed: Testbed, docker: Docker
) -> None:
    result = testbed("doctor", env=docker(HEALTHY))
    assert result.returncode == 0, result.stdout
    assert {line.split()[0] for line in result.stdout.splitlines()} == {"ok"}
    for words in ("git 2.", "Docker Engine 28.5.2", "Compose 2.40.3", "image redis:8"):
        assert words in result.stdout
    assert "v1.0.0 is the newest" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("", "there is no command `docker` -> install Docker"),
        ("echo no daemon >&2; exit 1", "Docker: no daemon -> start Docker"),
        ("echo 24.0.7", "Engine 24.0.7: health checks need 25 or newer -> update"),
        (
            '[ "$1" = version ] && echo 28.5.2',
            "there is no `docker compose` -> install",
        ),
    ],
)
def test_a_docker_that_will_not_do_is_an_error(
    repository: Path, testbed: Testbed, docker: Docker, script: str, words: str
) -> None:
    result = testbed("doctor", "--json", env=docker(script))
    assert result.returncode == 1
    assert any(words in each for each in findings(result)["error"]), result.stdout


def test_an_image_that_is_not_here_is_a_warning(
    repository: Path, testbed: Testbed, docker: Docker
) -> None:
    script = f'[ "$1" = image ] && exit 1\n{HEALTHY}'
    result = testbed("doctor", "--json", env=docker(script))
    assert result.returncode == 0
    (warning,) = findings(result)["warning"]
    assert "image redis:8: is not here yet -> docker compose" in warning


def test_an_engine_elsewhere_is_an_error(
    repository: Path, testbed: Testbed, docker: Docker
) -> None:
    elsewhere = {"DOCKER_HOST": "tcp://10.0.0.7:2375"}
    result = testbed("doctor", "--json", env=docker(HEALTHY) | elsewhere)
    assert result.returncode == 1
    (error,) = findings(result)["error"]
    assert "on another machine" in error
    assert "TEST_DOCKER_ADDRESS" in error


def test_servers_that_others_run_are_asked_and_docker_is_not(
    repository: Path, testbed: Testbed, docker: Docker
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        there = {"TEST_REDIS_HOST": "127.0.0.1", "TEST_REDIS_PORT": port}
        environment = docker("") | there
        result = testbed("doctor", "--json", env=environment)
        assert result.returncode == 0, result.stdout
    result = testbed("doctor", "--json", env=environment)
    assert result.returncode == 1
    (error,) = findings(result)["error"]
    assert f"127.0.0.1:{port} does not answer" in error
    assert "unset TEST_REDIS_HOST" in error


def test_a_port_that_is_taken_is_an_error(
    repository: Path, testbed: Testbed, docker: Docker
) -> None:
    environment = docker(HEALTHY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment["TEST_REDIS_PORT"] = str(taken.getsockname()[1])
        result = testbed("doctor", "--json", env=environment)
    assert result.returncode == 1
    (error,) = findings(result)["error"]
    assert "is taken" in error
    assert "unset TEST_REDIS_PORT" in error


def test_the_state_of_the_repository_is_told(
    releases: Releases, repository: Path, testbed: Testbed, docker: Docker
) -> None:
    managed = repository / "managed"
    (managed / "one.py").write_text("<<<<<<< yours-on-v1.0.0\n>>>>>>> testbed-v1\n")
    (managed / "two.py").write_text("mine\n")
    (managed / "three.py").unlink()
    (releases.managed / "one.py.jinja").write_text("new\n")
    releases.release()
    result = testbed("doctor", "--json", env=docker(HEALTHY))
    assert result.returncode == 1
    found = findings(result)
    assert found["error"] == [
        "managed/one.py: has markers of a conflict -> edit it, and remove them"
    ]
    assert "behind v2.0.0" in found["warning"][0]
    assert "managed/two.py: managed, and edited" in found["warning"][1]
    assert "managed/three.py: managed, and missing" in found["warning"][2]


def test_a_repository_that_was_not_made_from_the_template_is_told(
    repository: Path, testbed: Testbed, docker: Docker
) -> None:
    (repository / ".copier-answers.yml").unlink()
    result = testbed("doctor", env=docker(HEALTHY))
    assert result.returncode == 1
    assert "error   there is no .copier-answers.yml" in result.stdout
