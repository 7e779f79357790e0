"""Renovate itself finds whatever a rendered repository gets from elsewhere.

It needs no Docker but npm, which installs it once into `build/renovate`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from . import npm

ROOT = Path(__file__).parents[2]
TEMPLATE, RELEASE = "https://git.example.com/testbed.git", "v0.1.0"
ANSWERS = ".copier-answers.yml"
COMPOSE = "docker-compose.test.yml"
GITHUB = ".github/workflows/integration-tests.yml"
GITLAB = ".gitlab/integration-tests.yml"
REQUIREMENTS = "tests/integration/requirements.txt"

STACKS: dict[str, dict[str, object]] = {
    "everywhere": {"ci": ["github", "gitlab"]},
    "from a mirror": {
        "ci": ["github", "gitlab"],
        "database": "mysql",
        "cache": "valkey",
        "broker": "kafka",
        "image_registry": "registry.example.com:5000/docker-hub",
    },
    "Docker in Docker": {"ci": ["gitlab"], "gitlab_services": "dind"},
    "GitHub": {"ci": ["github"]},
}

# A file, what it names, and which version of it.
Found = set[tuple[str, str, str]]
Run = Callable[..., str]


@pytest.fixture(scope="session")
def renovate(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run one of Renovate's commands in a repository; returns what it prints."""
    executables = npm.install("renovate", 44).parent
    environment = npm.ENVIRONMENT | {
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "debug",
        "RENOVATE_BASE_DIR": str(tmp_path_factory.mktemp("renovate")),
    }

    def run(command: str, *arguments: str, cwd: Path) -> str:
        result = subprocess.run(
            [executables / command, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


@pytest.fixture
def repository(
    render: Callable[..., Path], tmp_path: Path, request: pytest.FixtureRequest
) -> Path:
    """A repository of the stack that the test names, else of the first.

    With a lock, and rendered from a release.
    """
    stack = STACKS[getattr(request, "param", "everywhere")]
    rendered = render(updates="renovate", **stack)
    repository = Path(shutil.copytree(rendered, tmp_path / "repository"))
    (repository / "uv.lock").write_text('version = 1\nrequires-python = ">=3.11"\n')
    answers = yaml.safe_load((repository / ANSWERS).read_text())
    answers |= {"_src_path": TEMPLATE, "_commit": RELEASE}
    (repository / ANSWERS).write_text(yaml.safe_dump(answers))
    return repository


def extract(renovate: Run, repository: Path) -> Found:
    """What Renovate finds, and would look for new versions of."""
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    subprocess.run(["git", "add", "--all"], cwd=repository, check=True)
    log = renovate("renovate", "--platform=local", "--dry-run=extract", cwd=repository)
    [managers] = [
        entry["packageFiles"]
        for entry in map(json.loads, log.splitlines())
        if "packageFiles" in entry
    ]
    return {
        (file["packageFile"], dependency["depName"], version(dependency))
        for files in managers.values()
        for file in files
        for dependency in file["deps"]
        # It has no token for GitHub here, where it would ask for releases.
        if dependency.get("skipReason") in (None, "github-token-required")
        # Which Pythons there are is an answer, so nobody proposes others: neither in a
        # matrix, nor of the image `python:$PYTHON_VERSION-slim`, which Renovate skips.
        and dependency["depName"] != "python"
    }


def version(dependency: dict[str, str]) -> str:
    parts = (dependency.get("currentValue"), dependency.get("currentDigest"))
    return " ".join(part for part in parts if part)


def expected(repository: Path) -> Found:
    """What a repository gets from elsewhere, by the facts that it is rendered from."""
    answers = yaml.safe_load((repository / ANSWERS).read_text())
    found = requirements(repository) | {(ANSWERS, TEMPLATE, RELEASE)}
    mirror = answers["image_registry"]
    for role in ("database", "cache", "broker"):
        facts = yaml.safe_load(
            (ROOT / f"template/services/{answers[role]}/facts.yml").read_text()
        )
        image = facts["image"]
        if mirror:
            image = f"{mirror}/{image if '/' in image else f'library/{image}'}"
        found.add((COMPOSE, image, facts["tags"][facts["newest"]]))
        if answers.get("gitlab_services") == "services":
            found.add((GITLAB, image, facts["tags"][facts["newest"]]))
    if answers.get("gitlab_services") == "dind":
        found.add((GITLAB, "docker", "28.5.1-dind"))
    if "github" in answers["ci"]:
        pins = yaml.safe_load((ROOT / "template/ci/pins.yml").read_text())
        for action, pin in pins.items():
            found.add((GITHUB, action, f"{pin['version']} {pin['sha']}"))
        found.add((GITHUB, "ubuntu", "24.04"))
    return found


def requirements(repository: Path) -> Found:
    """What is installed: for the application, for its development, for the tests."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    lines = (repository / REQUIREMENTS).read_text().splitlines()
    of_files = {
        "pyproject.toml": [
            *project["build-system"]["requires"],
            *project["project"]["dependencies"],
            *project["dependency-groups"]["dev"],
        ],
        REQUIREMENTS: [line for line in lines if not line.startswith("#")],
    }
    found = set()
    for path, listed in of_files.items():
        for requirement in listed:
            parts = re.fullmatch(r"([\w.-]+)(?:\[.*\])?(.*)", requirement)
            assert parts is not None
            found.add((path, parts[1], parts[2]))
    return found


@pytest.mark.parametrize("repository", STACKS, indirect=True)
def test_renovate_finds_every_image_action_and_requirement(
    renovate: Run, repository: Path
) -> None:
    assert extract(renovate, repository) == expected(repository)


def test_renovate_accepts_its_configuration(renovate: Run, repository: Path) -> None:
    renovate("renovate-config-validator", "--strict", "renovate.json", cwd=repository)


@pytest.mark.parametrize(
    ("path", "old", "new", "missing"),
    [
        (
            "renovate.json",
            '"ignorePaths": []',
            '"ignorePaths": ["tests/**"]',
            "pytest-cov",
        ),
        (GITLAB, "name: postgres:", "name: $REGISTRY/postgres:", "postgres"),
        (COMPOSE, "${POSTGRES_IMAGE:-", "$REGISTRY/${POSTGRES_IMAGE:-", "postgres"),
        (
            GITHUB,
            "@3d3c42e5aac5ba805825da76410c181273ba90b1",
            "@main",
            "actions/checkout",
        ),
    ],
    ids=[
        "tests are ignored",
        "a variable in GitLab",
        "a variable in compose",
        "a branch",
    ],
)
def test_what_renovate_would_not_find_is_caught(
    renovate: Run, repository: Path, path: str, old: str, new: str, missing: str
) -> None:
    plant(repository / path, old, new)

    not_found = expected(repository) - extract(renovate, repository)
    assert missing in {name for _, name, _ in not_found}


def test_a_misspelt_option_is_caught(renovate: Run, repository: Path) -> None:
    plant(repository / "renovate.json", "pip_requirements", "pip_requirement")

    with pytest.raises(AssertionError, match="pip_requirement"):
        test_renovate_accepts_its_configuration(renovate, repository)


def plant(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
