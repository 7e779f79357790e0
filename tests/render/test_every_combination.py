"""Every combination of stack answers renders into files that their linters accept."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]

COMBINATIONS = [
    {"cache": cache, "broker": broker, "starter": starter}
    for cache, broker, starter in itertools.product(
        ["redis", "valkey", "none"], ["rabbitmq", "kafka", "none"], [True, False]
    )
]
COMBINATIONS += [
    {"database": "mysql", "database_access": access, **answers, "starter": starter}
    for access, answers, starter in [
        ("async", {"cache": "redis", "broker": "rabbitmq"}, True),
        ("async", {"cache": "none", "broker": "kafka"}, True),
        ("async", {"cache": "none", "broker": "none"}, False),
        ("sync", {"cache": "redis", "broker": "none"}, True),
        ("sync", {"cache": "none", "broker": "none"}, False),
    ]
]
# Answers that change names and depths rather than files.
VARIANTS: list[dict[str, object]] = [
    {"project_name": "A project with a name of forty chars - x"},
    {"package_name": "a_package_with_a_name_of_forty_character", "tests_dir": "tests"},
    {"starter": False, "tests_dir": "some/deep/tree/of/tests"},
    {"image_registry": "registry.example.com:5000/docker-hub"},
    {"versions": {"postgres": 16, "redis": 7, "rabbitmq": 3}},
    {"broker": "kafka", "versions": {"kafka": 3}, "image_registry": "mirror.test"},
    {"database": "mysql", "versions": {"mysql": 8.4}, "cache": "none"},
]


def name(answers: dict[str, object]) -> str:
    return "-".join(str(value) for value in answers.values())


@pytest.fixture(params=COMBINATIONS + VARIANTS, ids=name)
def repository(request: pytest.FixtureRequest, render: Callable[..., Path]) -> Path:
    return render(**request.param)


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: most of what mypy reads is the same libraries."""
    return tmp_path_factory.mktemp("mypy-cache")


def texts(repository: Path) -> dict[Path, str]:
    files = (path for path in repository.rglob("*") if path.is_file())
    return {path: path.read_text(encoding="utf-8") for path in files}


def run(*command: object, cwd: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_python_is_clean_and_formatted(repository: Path) -> None:
    run("ruff", "check", "--no-cache", ".", cwd=repository)
    run("ruff", "format", "--no-cache", "--check", ".", cwd=repository)


def test_python_is_typed(repository: Path, mypy_cache: Path) -> None:
    # The starter has its own strict configuration; without it, ours is as strict.
    has_configuration = (repository / "pyproject.toml").exists()
    arguments = [] if has_configuration else ["--strict", "."]
    run("mypy", "--cache-dir", mypy_cache, *arguments, cwd=repository)


def test_yaml_is_clean(repository: Path) -> None:
    run("yamllint", "--strict", "-c", ROOT / ".yamllint", ".", cwd=repository)


def test_the_compose_file_follows_its_schema(repository: Path) -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    run("check_jsonschema", *schema, "docker-compose.test.yml", cwd=repository)


def test_every_service_has_a_health_check_and_hardening(repository: Path) -> None:
    compose = yaml.safe_load((repository / "docker-compose.test.yml").read_text())
    loopback = "${TEST_DOCKER_ADDRESS:-127.0.0.1}:"
    for service in compose["services"].values():
        assert service["healthcheck"]["test"]
        assert service["healthcheck"]["start_interval"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"]
        assert all(port.startswith(loopback) for port in service["ports"])
        assert "container_name" not in service
    assert "version" not in compose


def test_nothing_of_the_template_is_left(repository: Path) -> None:
    for path, text in texts(repository).items():
        assert not re.search(r"\{\{|\{%|%\}|\{#", text), path
        assert "\n\n\n" not in text or path.suffix in {".py", ".mako"}, path
        assert not text.startswith("\n"), path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path
        assert "{%" not in str(path)
        assert not path.name.endswith(".jinja")


def test_a_managed_file_says_so_and_others_do_not(repository: Path) -> None:
    managed = managed_files(repository)
    for path, text in texts(repository).items():
        if path.name in {".copier-answers.yml", "__init__.py"}:
            continue
        says_so = "managed by testbed" in text[:400].lower()
        assert says_so == (path.relative_to(repository) in managed), path


def managed_files(repository: Path) -> set[Path]:
    """What copier.yml declares to be managed, in this repository."""
    answers = yaml.safe_load((repository / ".copier-answers.yml").read_text())
    copier_yml = yaml.safe_load((ROOT / "copier.yml").read_text())
    patterns = (
        pattern.removeprefix("!/")
        .replace("{{ tests_dir }}", answers["tests_dir"])
        .replace("**", "**/*")
        for pattern in copier_yml["_skip_if_exists"]
        if pattern.startswith("!")
    )
    found = {path for pattern in patterns for path in repository.glob(pattern)}
    return {path.relative_to(repository) for path in found if path.is_file()}
