"""Rendered CI passes its gates, and each gate finds what it is there for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ..stacks import Stack, covering_stacks
from .gates import (
    COMPOSE,
    DEPENDABOT,
    GATES,
    GITHUB,
    GITLAB,
    GITLAB_START,
    RENOVATE,
    ROOT,
    Repositories,
    having,
    load,
    used_actions,
)

MIRROR = "registry.example.com:5000/docker-hub"

BOTH = ["github", "gitlab"]
# With a stack of each service, and few, so that all are looked at.
COMBINATIONS: list[Stack] = [
    {"ci": BOTH},
    {
        "ci": BOTH,
        "framework": "django",
        "database": "mysql",
        "cache": "valkey",
        "broker": "kafka",
        "installer": "uv",
        "ci_shards": 3,
        "updates": "renovate",
        "image_registry": MIRROR,
        "python_versions": ["3.11", "3.12", "3.13", "3.14"],
    },
    {
        "ci": BOTH,
        "framework": "flask",
        "database": "mysql",
        "cache": "none",
        "starter": False,
        "installer": "requirements",
        "gitlab_services": "dind",
        "image_registry": MIRROR,
        "tests_dir": "some/deep/tree/of/tests",
        "project_name": "A project with a name of forty chars - x",
    },
    {
        "ci": ["gitlab"],
        "cache": "valkey",
        "broker": "kafka",
        "database_access": "sync",
        "installer": "poetry",
        "ci_shards": 2,
        "gitlab_services": "dind",
        "python_versions": ["3.13"],
    },
    {
        "ci": ["gitlab"],
        "framework": "django",
        "cache": "none",
        "broker": "none",
        "starter": False,
        "installer": "pdm",
        "updates": "none",
    },
    {"ci": ["gitlab"], "broker": "none", "gitlab_services": "dind"},
    {"ci": ["github"], "installer": "uv", "broker": "kafka", "image_registry": MIRROR},
    {"ci": ["github"], "installer": "poetry", "cache": "none", "updates": "renovate"},
    {"ci": ["github"], "installer": "pdm", "ci_shards": 20, "updates": "none"},
    {"ci": [], "updates": "renovate"},
]


@pytest.fixture(scope="module")
def repositories(render: Callable[..., Path]) -> Repositories:
    return [render(**combination) for combination in COMBINATIONS]


def test_every_answer_about_ci_and_every_service_is_among_the_combinations(
    repositories: Repositories,
) -> None:
    questions = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    answers = [load(repository / ".copier-answers.yml") for repository in repositories]
    for question in ("installer", "gitlab_services", "updates", "framework"):
        choices = set(questions[question]["choices"].values())
        assert {each.get(question) for each in answers} >= choices, question
    services = [
        (each["gitlab_services"], each[role])
        for each in answers
        if "gitlab" in each["ci"]
        for role in ("database", "cache", "broker")
    ]
    for way in questions["gitlab_services"]["choices"].values():
        for role in ("database", "cache", "broker"):
            for service in questions[role]["choices"].values():
                assert (way, service) in services
    for system in questions["ci"]["choices"].values():
        with_it = [each for each in answers if system in each["ci"]]
        for installer in questions["installer"]["choices"].values():
            assert installer in [each["installer"] for each in with_it]
        assert {each["ci_shards"] > 1 for each in with_it} == {True, False}
        assert {bool(each["image_registry"]) for each in with_it} == {True, False}
        assert {each["starter"] for each in with_it} == {True, False}


@pytest.mark.parametrize("gate", GATES)
def test_rendered_ci_passes(repositories: Repositories, gate: str) -> None:
    assert GATES[gate](repositories) == ""


def test_no_example_application_looks_like_it_had_secrets(
    render: Callable[..., Path],
) -> None:
    stacks = [stack for stack in covering_stacks() if stack["starter"]]
    assert GATES["secrets"]([render(**stack) for stack in stacks]) == ""


def test_every_pin_is_used(repositories: Repositories) -> None:
    used = {
        use.partition("@")[0]
        for repository in having(repositories, GITHUB)
        for use in used_actions(repository / GITHUB)
    }
    assert used == load(ROOT / "template" / "ci" / "pins.yml").keys()


@dataclass(frozen=True)
class Defect:
    """What is written in place of what, and by which gate, in which words, it is found.

    `new` stands in the place of `old` in the combination of this number.
    """

    gate: str
    file: str
    old: str
    new: str
    says: str
    of: int = 0


CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
CHECK_OUT = f"- uses: {CHECKOUT}\n        with:\n          persist-credentials: false\n"

DEFECTS = {
    "a tag in place of a commit": Defect(
        "zizmor", GITHUB, CHECKOUT, "actions/checkout@v7", "unpinned-uses"
    ),
    "the token is left in the checkout": Defect(
        "zizmor", GITHUB, CHECK_OUT, f"- uses: {CHECKOUT}\n", "artipacked"
    ),
    "a title that anybody writes is run": Defect(
        "zizmor",
        GITHUB,
        "run: docker compose up --detach --wait",
        "run: echo '${{ github.event.pull_request.title }}'",
        "template-injection",
    ),
    "any permission": Defect(
        "zizmor", GITHUB, "permissions: {}\n\n", "", "excessive-permissions"
    ),
    "the code of a fork with the secrets of the repository": Defect(
        "zizmor",
        GITHUB,
        "  pull_request:",
        "  pull_request_target:",
        "dangerous-triggers",
    ),
    "releases of this very minute": Defect(
        "zizmor",
        DEPENDABOT,
        "    cooldown:\n      default-days: 7\n",
        "",
        "dependabot-cooldown",
    ),
    "the commit of nobody knows what": Defect(
        "pins", GITHUB, CHECKOUT, CHECKOUT.replace("3d3c", "dead"), "not in pins.yml"
    ),
    "another release than the comment says": Defect(
        "pins",
        GITHUB,
        CHECKOUT,
        CHECKOUT.replace("v7.0.1", "v7.0.0"),
        "not in pins.yml",
    ),
    "an action that nobody chose": Defect(
        "pins",
        GITHUB,
        CHECKOUT,
        CHECKOUT.replace("actions/checkout", "someone/checkout"),
        "someone/checkout",
    ),
    "an unquoted variable in a workflow": Defect(
        "actionlint", GITHUB, '<<< "$CA_CERTIFICATES"', "$CA_CERTIFICATES", "SC2086"
    ),
    "a job needs one that is not there": Defect(
        "actionlint", GITHUB, "needs: integration-tests", "needs: tests", "job-needs"
    ),
    "a value of the matrix that is not there": Defect(
        "actionlint", GITHUB, "{{ matrix.python-version", "{{ matrix.python", "python"
    ),
    "a misspelt input of checkout": Defect(
        "actionlint_with_tags", GITHUB, "persist-cred", "persits-cred", "persits-cred"
    ),
    "a misspelt input of setup-python": Defect(
        "actionlint_with_tags",
        GITHUB,
        "python-version: ${{",
        "python-versoin: ${{",
        "python-versoin",
    ),
    "a misspelt input of cache": Defect(
        "actionlint_with_tags", GITHUB, "          key:", "          kye:", '"kye"'
    ),
    "a misspelt input of upload-artifact": Defect(
        "actionlint_with_tags", GITHUB, "retention-days", "retain-days", "retain-days"
    ),
    "a job without a limit of time": Defect(
        "schemas",
        GITHUB,
        "    timeout-minutes: 40\n",
        "",
        "'timeout-minutes' is a required",
    ),
    "a misspelt key in a workflow": Defect(
        "schemas", GITHUB, "fail-fast", "fail-fats", "fail-fats"
    ),
    "a misspelt key in GitLab": Defect(
        "schemas", GITLAB, "expire_in", "expires_in", "expires_in"
    ),
    "retries of what tests find": Defect(
        "schemas", GITLAB, "scheduler_failure", "test_failure", "test_failure"
    ),
    "a rule that GitLab does not know": Defect(
        "schemas",
        GITLAB_START,
        "on_new_commit: interruptible",
        "on_new_commit: always",
        "always",
    ),
    "an interval that Dependabot does not know": Defect(
        "schemas", DEPENDABOT, "interval: weekly", "interval: weakly", "weakly"
    ),
    "presets of Renovate in no list": Defect(
        "schemas", RENOVATE, '["config:best-practices"]', "1", "extends", of=1
    ),
    "a container that may gain privileges": Defect(
        "compose_lint",
        COMPOSE,
        '  security_opt: ["no-new-privileges:true"]\n',
        "",
        "CL-0003",
    ),
    "a container with all capabilities": Defect(
        "compose_lint", COMPOSE, "  cap_drop: [ALL]\n", "", "CL-0006"
    ),
    "a port that the whole network reaches": Defect(
        "compose_lint", COMPOSE, "${TEST_DOCKER_ADDRESS:-127.0.0.1}:", "", "CL-0005"
    ),
    "Docker's socket in a container": Defect(
        "compose_lint",
        COMPOSE,
        "    shm_size: 256m\n",
        "    volumes: [/var/run/docker.sock:/var/run/docker.sock]\n",
        "CL-0001",
    ),
    "an image that is another one tomorrow": Defect(
        "compose_lint", COMPOSE, "postgres:18.6}", "postgres:latest}", "CL-0004"
    ),
    "a key twice": Defect(
        "yamllint",
        GITLAB_START,
        "workflow:\n",
        "workflow:\n  name: once\n  name: twice\n",
        "duplication of key",
    ),
    "an unquoted variable in GitLab": Defect(
        "shellcheck",
        GITLAB,
        'echo "$ADDITIONAL_CA_CERT_BUNDLE"',
        "echo $ADDITIONAL_CA_CERT_BUNDLE",
        "SC2086",
    ),
    "what only bash understands, where there may be sh": Defect(
        "shellcheck",
        GITLAB,
        'if [ -n "$ADDITIONAL_CA_CERT_BUNDLE" ]',
        'if [[ -n "$ADDITIONAL_CA_CERT_BUNDLE" ]]',
        "SC3010",
    ),
    "a key of Amazon's": Defect(
        "secrets",
        COMPOSE,
        "POSTGRES_DB: test",
        "AWS_ACCESS_KEY_ID: AKIA" + "Q3EGRTNHZ7LV2XWP",
        "AWS Access Key",
    ),
    "a token of GitHub's": Defect(
        "secrets",
        GITLAB,
        "  script:\n",
        "  script:\n    - export GH_TOKEN=ghp_"
        + "x7Kq2mVb9TzR4wLc8NdJ5sYf1HgP3eA6uXoM\n",
        "github-pat",
    ),
    "a password in a URL": Defect(
        "secrets",
        "README.md",
        "export CACHE_URL=redis://",
        "export CACHE_URL=redis://shop:Wq8" + "-kd72Vz@",
        "Basic Auth",
    ),
    "another password in GitLab": Defect(
        "gitlab_services",
        GITLAB,
        "PASSWORD: test",
        "PASSWORD: tset",
        "POSTGRES_PASSWORD of postgres is tset",
    ),
    "another image in GitLab": Defect(
        "gitlab_services",
        GITLAB,
        "postgres:18.6",
        "postgres:17.7",
        "image of postgres is postgres:17.7",
    ),
    "another option of the server in GitLab": Defect(
        "gitlab_services", GITLAB, "fsync=off", "fsync=on", "command of postgres"
    ),
    "a host that tests are not told": Defect(
        "gitlab_services",
        GITLAB,
        "    TEST_REDIS_HOST: redis\n",
        "",
        "TEST_REDIS_HOST is None",
    ),
    "Kafka advertises an address that nobody reaches": Defect(
        "gitlab_services",
        GITLAB,
        "HOST://kafka:",
        "HOST://127.0.0.1:",
        "KAFKA_ADVERTISED_LISTENERS of kafka",
        of=1,
    ),
    "GitLab measures no coverage": Defect(
        "same_tests", GITLAB, "--cov --cov-report=term", "", "--cov"
    ),
    "GitLab lacks a Python": Defect(
        "same_tests", GITLAB, '["3.11", "3.14"]', '["3.11"]', "Pythons is"
    ),
    "a folder that is not there": Defect(
        "dependabot",
        DEPENDABOT,
        '"/tests/integration"',
        '"/tests/intgration"',
        "intgration",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_caught(
    repositories: Repositories, tmp_path: Path, name: str
) -> None:
    defect = DEFECTS[name]
    repository = tmp_path / "repository"
    shutil.copytree(repositories[defect.of], repository)
    path = repository / defect.file
    text = path.read_text(encoding="utf-8")
    assert defect.old in text
    path.write_text(text.replace(defect.old, defect.new, 1), encoding="utf-8")
    assert defect.says in GATES[defect.gate]([repository])


def test_every_gate_is_shown_to_catch_a_defect() -> None:
    assert {defect.gate for defect in DEFECTS.values()} == GATES.keys()
