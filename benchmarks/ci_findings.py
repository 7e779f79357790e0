"""What do gates find in the CI that we render, and in that of two other templates?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.render.gates import ROOT, betterleaks, detect_secrets

from .repository import print_row, render

BINARIES = Path(sys.executable).parent
SERVERS = re.compile(r"(^|/)(postgres|mysql|redis|valkey|rabbitmq|kafka)\b")

# How each renders PostgreSQL, Redis and, where it can, RabbitMQ; and the last word of
# that, which is what it calls GitHub and GitLab.
PEERS = {
    "fastapi_template==6.1.2": (
        "fastapi_template --quiet --name shop --api-type rest --db postgresql"
        " --orm sqlalchemy --migrations --routers --dummy --redis --rabbit --ci",
        ("github", "gitlab_ci"),
    ),
    "fastapi-fullstack==0.2.21": (
        "fastapi-fullstack create shop --ai-framework none --redis --caching --ci",
        ("github", "gitlab"),
    ),
}


def render_peer(requirement: str, folder: Path) -> list[Path]:
    """Render a template from PyPI for GitHub and for GitLab."""
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = environment / "bin" / "pip"
    subprocess.run([pip, "install", "--quiet", requirement], check=True)
    # They would install the project and commit it, which adds nothing to look at.
    for tool in ("git", "pre-commit", "uv"):
        stub = environment / "bin" / tool
        stub.unlink(missing_ok=True)
        stub.symlink_to("/bin/true")
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    repositories = []
    command, systems = PEERS[requirement]
    for system in systems:
        target = folder / system
        target.mkdir()
        subprocess.run(
            [*command.split(), system],
            cwd=target,
            env=os.environ | {"PATH": path},
            check=True,
            capture_output=True,
        )
        repositories.append(target / "shop")
    return repositories


def render_ours(folder: Path) -> list[Path]:
    """Render the default stack for GitHub and for GitLab."""
    repositories = []
    for system in ("github", "gitlab"):
        render(folder / system, {"ci": f"[{system}]"})
        repositories.append(folder / system)
    return repositories


def output(tool: str, *arguments: object, on: list[Path]) -> str:
    """What a linter prints about files."""
    return subprocess.run(
        [BINARIES / tool, *map(str, [*arguments, *on])],
        env=os.environ | {"PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    ).stdout


def workflows(repositories: list[Path]) -> list[Path]:
    """The files of GitHub Actions."""
    return [
        path
        for repository in repositories
        for path in repository.glob(".github/workflows/*.y*ml")
    ]


def zizmor(repositories: list[Path]) -> str:
    """Security of workflows, and how many findings are severe."""
    options = ("--offline", "--persona=auditor", "--format=json", "--quiet")
    findings = json.loads(output("zizmor", *options, on=workflows(repositories)))
    severe = [each for each in findings if each["determinations"]["severity"] == "High"]
    return f"{len(findings)} ({len(severe)} high)" if findings else "0"


def actionlint(repositories: list[Path]) -> str:
    """Mistakes in workflows, and in their scripts."""
    found = output("actionlint", "-oneline", on=workflows(repositories))
    return str(len(found.splitlines()))


def schema(name: str, paths: list[Path], *options: str) -> str:
    """What a schema has against files."""
    arguments = ("--builtin-schema", name, "--output-format", "json", *options)
    report = json.loads(output("check-jsonschema", *arguments, on=paths))
    return str(len(report["errors"]) + len(report.get("parse_errors", [])))


def timeouts(repositories: list[Path]) -> str:
    """Jobs without a limit of time."""
    name = "custom.github-workflows-require-timeout"
    return schema(name, workflows(repositories))


def gitlab(repositories: list[Path]) -> str:
    """What GitLab's schema does not know."""
    found = [
        path
        for repository in repositories
        for pattern in (".gitlab-ci.yml", ".gitlab/*.yml")
        for path in repository.glob(pattern)
    ]
    return schema("vendor.gitlab-ci", found, "--data-transform", "gitlab-ci")


def compose(repositories: list[Path], accepted: frozenset[str] = frozenset()) -> str:
    """Hardening of the servers' containers, in the one file that tests start."""
    path = min(
        path
        for path in repositories[0].glob("docker-compose*.yml")
        if path.name in ("docker-compose.test.yml", "docker-compose.yml")
    )
    services: dict[str, Any] = yaml.safe_load(path.read_text())["services"]
    servers = {
        name
        for name, service in services.items()
        if SERVERS.search(service["image"].split(":-")[-1])
    }
    report = json.loads(output("compose-lint", "check", "--format=json", on=[path]))
    findings = [
        finding
        for finding in report["findings"]
        if finding["service"] in servers and finding["rule_id"] not in accepted
    ]
    return f"{len(findings)} in {len(servers)} servers"


def compose_with_exceptions(repositories: list[Path]) -> str:
    """The same without the rules that our own gate has exceptions from."""
    text = (ROOT / "tests" / "render" / "compose_lint.yml").read_text(encoding="utf-8")
    return compose(repositories, frozenset(yaml.safe_load(text)["rules"]))


def secrets(scan: Callable[[Path], str]) -> Callable[[list[Path]], str]:
    """What a scanner takes for a secret in the repository for GitHub."""
    return lambda repositories: str(len(scan(repositories[0]).splitlines()))


GATES: dict[str, Callable[[list[Path]], str]] = {
    "zizmor, auditor persona": zizmor,
    "actionlint with shellcheck": actionlint,
    "jobs without a limit of time": timeouts,
    "GitLab's schema": gitlab,
    "compose-lint, no exceptions": compose,
    "compose-lint, our exceptions for all": compose_with_exceptions,
    "detect-secrets": secrets(detect_secrets),
    "betterleaks": secrets(betterleaks),
}


def main() -> None:
    """Render, look, and print a table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rendered = {"ours": render_ours(folder / "ours")}
        for requirement in PEERS:
            (folder / requirement).mkdir()
            rendered[requirement.replace("==", " ")] = render_peer(
                requirement, folder / requirement
            )
        print_row("findings", *rendered)
        print_row(*["---"] * (1 + len(rendered)))
        for name, count in GATES.items():
            print_row(name, *map(count, rendered.values()))


if __name__ == "__main__":
    main()
