"""A new service is one folder, and one line in copier.yml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import copier
import pytest
import yaml

FACTS = """\
title: Keyhole
image: keyhole
tags: {"3": "3.1.4"}
newest: "3"
ports: {port: 7777}
user: test
password: test
database: ""
url_scheme: keyhole
requirements: {async: ["keyhole>=3,<4"], sync: ["keyhole>=3,<4"]}
fixtures:
  cache: where the cache is
  empty_cache: ""
  keyhole: ""
"""
COMPOSE = """\
  keyhole:
    <<: *service
    image: ${KEYHOLE_IMAGE:-{{ images.keyhole }}}
    tmpfs: [/data]
    ports:
      - "${TEST_DOCKER_ADDRESS:-127.0.0.1}:${TEST_KEYHOLE_PORT:-0}:7777"
    healthcheck:
      <<: *healthcheck
      test: [CMD, keyhole, peep]
"""
SUPPORT = '"""Keyhole. Managed by Testbed: updates change this file."""\n'
TEST = '"""A cache in Keyhole. Yours: change it, or delete it."""\n'
CACHE = '"""The application\'s cache in Keyhole."""\n'


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    """A repository rendered with a service that nobody has heard of."""
    catalogue = tmp_path / "template"
    shutil.copytree(template, catalogue)
    folder = catalogue / "template" / "services" / "keyhole"
    folder.mkdir()
    for name, text in {
        "facts.yml": FACTS,
        "compose.yml.jinja": COMPOSE,
        "support.py.jinja": SUPPORT,
        "test.py.jinja": TEST,
        "cache.py.jinja": CACHE,
    }.items():
        (folder / name).write_text(text)
    questions = catalogue / "copier.yml"
    lines = questions.read_text().splitlines()
    lines.insert(lines.index("    Redis: redis") + 1, "    Keyhole: keyhole")
    questions.write_text("\n".join(lines) + "\n")
    copier.run_copy(
        str(catalogue),
        tmp_path / "repository",
        data={"cache": "keyhole", "image_registry": "mirror.example.com"},
        defaults=True,
        quiet=True,
    )
    return tmp_path / "repository"


def test_it_is_in_the_compose_file(repository: Path) -> None:
    compose = yaml.safe_load((repository / "docker-compose.test.yml").read_text())
    keyhole = compose["services"]["keyhole"]
    image = "mirror.example.com/library/keyhole:3.1.4"
    assert keyhole["image"] == f"${{KEYHOLE_IMAGE:-{image}}}"
    address = "${TEST_DOCKER_ADDRESS:-127.0.0.1}"
    assert keyhole["ports"] == [f"{address}:${{TEST_KEYHOLE_PORT:-0}}:7777"]


def test_an_image_that_is_not_dockers_own_keeps_its_folder_on_a_mirror(
    render: Callable[..., Path],
) -> None:
    repository = render(broker="kafka", image_registry="mirror.test")
    images = (repository / "docker-compose.test.yml").read_text()
    assert ":-mirror.test/apache/kafka:4" in images
    assert ":-mirror.test/library/redis:8" in images


def test_its_files_are_where_those_of_other_services_are(repository: Path) -> None:
    tests = repository / "tests" / "integration"
    assert (tests / "support" / "keyhole.py").read_text() == SUPPORT
    assert (tests / "test_keyhole.py").read_text() == TEST
    assert (repository / "src" / "shop" / "cache.py").read_text() == CACHE
    assert not (tests / "support" / "redis.py").exists()


def test_its_fixtures_and_endpoint_are_known(repository: Path) -> None:
    support = repository / "tests" / "integration" / "support"
    assert "from .keyhole import " in (support / "plugin.py").read_text()
    assert 'name="keyhole"' in (support / "endpoints.py").read_text()
    assert 'cache.url("keyhole")' in (support.parent / "wiring.py").read_text()


def test_its_client_is_required_and_its_image_documented(repository: Path) -> None:
    tests = repository / "tests" / "integration"
    assert "keyhole>=3,<4" in (tests / "requirements.txt").read_text()
    assert "keyhole>=3,<4" in (repository / "pyproject.toml").read_text()
    assert "library/keyhole:3.1.4" in (tests / "README.md").read_text()


def test_what_is_rendered_around_it_stays_clean(repository: Path) -> None:
    for command in ("check", "format --check"):
        ruff = [sys.executable, "-m", "ruff", *command.split(), "--no-cache", "."]
        result = subprocess.run(ruff, cwd=repository, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout


def test_no_service_is_named_outside_of_its_folder(template: Path) -> None:
    services = [path.name for path in (template / "template" / "services").iterdir()]
    for path in (template / "template").rglob("*"):
        inside = "services" in path.relative_to(template).parts
        if path.is_file() and not inside:
            for service in services:
                text = path.read_text(encoding="utf-8")
                assert f"'{service}'" not in text, path
                assert f'"{service}"' not in text, path
                assert f"facts.{service}" not in text, path
