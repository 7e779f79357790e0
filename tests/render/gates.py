"""Gates that rendered CI has to pass, as a platform team would put before it.

Each takes repositories and tells what it finds in them; nothing where it is content.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]

GITHUB = ".github/workflows/integration-tests.yml"
GITLAB = ".gitlab/integration-tests.yml"
GITLAB_START = ".gitlab-ci.yml"
COMPOSE = "docker-compose.test.yml"
DEPENDABOT = ".github/dependabot.yml"
RENOVATE = "renovate.json"

Repositories = list[Path]
Gate = Callable[[Repositories], str]
GATES: dict[str, Gate] = {}


def gate(function: Gate) -> Gate:
    GATES[function.__name__] = function
    return function


def copies(repositories: Repositories, *paths: str) -> list[Path]:
    """The files of these paths; of equal ones, the first."""
    found: dict[tuple[str, bytes], Path] = {}
    for repository, path in itertools.product(repositories, paths):
        file = repository / path
        if file.exists():
            found.setdefault((path, file.read_bytes()), file)
    return list(found.values())


def call(tool: str, *arguments: object, on: list[Path]) -> str:
    """What a tool that is installed beside this Python finds in files."""
    if not on:
        return ""
    binaries = Path(sys.executable).parent
    result = subprocess.run(
        [binaries / tool, *map(str, [*arguments, *on])],
        cwd=ROOT,
        # actionlint looks for shellcheck there.
        env=os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    if result.returncode == 0:
        return ""
    return (result.stdout + result.stderr) or f"{tool} returned {result.returncode}"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------- linters
@gate
def zizmor(repositories: Repositories) -> str:
    """The security of workflows, and of Dependabot."""
    options = ("--offline", "--persona=auditor", "--strict-collection", "--quiet")
    found = copies(repositories, GITHUB, DEPENDABOT)
    return call("zizmor", *options, "--color=never", on=found)


@gate
def actionlint(repositories: Repositories) -> str:
    """Workflows, with the scripts in them, which it gives to shellcheck."""
    return call("actionlint", "-oneline", on=copies(repositories, GITHUB))


@gate
def actionlint_with_tags(repositories: Repositories) -> str:
    """What actions are given, which actionlint only knows of those that have a tag."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for number, path in enumerate(copies(repositories, GITHUB)):
            text = path.read_text(encoding="utf-8")
            tagged = re.sub(r"@[0-9a-f]{40} # (v\d+)\S*", r"@\1", text)
            found.append(Path(folder, f"{number}.yml"))
            found[-1].write_text(tagged, encoding="utf-8")
        return call("actionlint", "-oneline", on=found)


@gate
def pins(repositories: Repositories) -> str:
    """Each action is in template/ci/pins.yml, with that commit and that release."""
    table = load(ROOT / "template" / "ci" / "pins.yml")
    known = {f"{name}@{pin['sha']} # {pin['version']}" for name, pin in table.items()}
    return "".join(
        f"{path}: {use} is not in pins.yml\n"
        for path in copies(repositories, GITHUB)
        for use in used_actions(path)
        if use not in known
    )


def used_actions(path: Path) -> list[str]:
    return re.findall(r"^.*\buses: *(.*)", path.read_text(encoding="utf-8"), re.M)


@gate
def schemas(repositories: Repositories) -> str:
    """What GitHub, GitLab, Dependabot and Renovate say that their files may hold."""

    def check(schema: str, *paths: str, options: tuple[str, ...] = ()) -> str:
        found = copies(repositories, *paths)
        return call("check-jsonschema", "--builtin-schema", schema, *options, on=found)

    transformed = ("--data-transform", "gitlab-ci")
    return (
        check("vendor.github-workflows", GITHUB)
        + check("custom.github-workflows-require-timeout", GITHUB)
        + check("vendor.gitlab-ci", GITLAB, GITLAB_START, options=transformed)
        + check("vendor.dependabot", DEPENDABOT)
        + check("vendor.renovate", RENOVATE)
    )


@gate
def compose_lint(repositories: Repositories) -> str:
    """The hardening of containers; compose_lint.yml says what is accepted, and why."""
    found = ""
    for path in copies(repositories, COMPOSE):
        accepted = load(Path(__file__).with_name("compose_lint.yml"))
        services = load(path)["services"]
        for rule in accepted["rules"].values():
            # It may only name services that are there.
            excluded = rule.get("exclude_services", {})
            for service in excluded.keys() - services.keys():
                del excluded[service]
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
            yaml.safe_dump(accepted, config)
            options = ("--strict-config", "--fail-on", "low", "--quiet")
            found += call(
                "compose-lint", "check", *options, "--config", config.name, on=[path]
            )
    return found


@gate
def yamllint(repositories: Repositories) -> str:
    config = ("--strict", "-c", ROOT / ".yamllint")
    paths = {
        str(path.relative_to(repository))
        for repository in repositories
        for path in repository.rglob("*.yml")
    }
    return call("yamllint", *config, on=copies(repositories, *sorted(paths)))


@gate
def shellcheck(repositories: Repositories) -> str:
    """The scripts of GitLab, which runs them in bash where there is one, else in sh."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for number, path in enumerate(copies(repositories, GITLAB)):
            for name, script in gitlab_scripts(path):
                found.append(Path(folder, f"{number}-{name}"))
                found[-1].write_text(script, encoding="utf-8")
        return "".join(
            call("shellcheck", "--format=gcc", f"--shell={shell}", on=found)
            for shell in ("bash", "sh")
        )


def gitlab_scripts(path: Path) -> Iterator[tuple[str, str]]:
    """What runs in one shell, by the name of the job and of the part of it."""
    for name, job in load(path).items():
        main = job.get("before_script", []) + job["script"]
        for part, lines in [("script", main), ("after", job.get("after_script", []))]:
            if lines:
                yield f"{name}-{part}", "\n".join([*lines, ""])


@gate
def secrets(repositories: Repositories) -> str:
    """Nothing looks like a password or a key to two scanners."""
    with tempfile.TemporaryDirectory() as folder:
        seen = set()
        for repository in repositories:
            for path in repository.rglob("*"):
                name = path.relative_to(repository)
                if path.is_file() and (key := (name, path.read_bytes())) not in seen:
                    seen.add(key)
                    target = Path(folder, repository.name, name)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, target)
        return detect_secrets(Path(folder)) + betterleaks(Path(folder))


def detect_secrets(folder: Path) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "-n", "."],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return "".join(
        f"detect-secrets: {path}:{secret['line_number']}: {secret['type']}\n"
        for path, secrets in json.loads(result.stdout)["results"].items()
        for secret in secrets
    )


def betterleaks(folder: Path) -> str:
    report = folder.with_suffix(".json")
    call("betterleaks", "--silent", "--output", report, on=[folder])
    findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    report.unlink()
    return "".join(
        f"betterleaks: {finding['location']['path']}"
        f":{finding['location']['start_line']}: {finding['rule_id']}\n"
        for finding in findings
    )


# ------------------------------------------------------- what must say the same thing
@gate
def gitlab_services(repositories: Repositories) -> str:
    """Services are those of the compose file, and the tests know their names."""
    found = ""
    for repository in having(repositories, GITLAB):
        job = load(repository / GITLAB)["integration-tests"]
        if "COMPOSE_FILE" in job["variables"]:
            continue
        composed = load(repository / COMPOSE)["services"]
        expected: dict[str, object] = {}
        for name, service in composed.items():
            started = (service["image"], service.get("command"))
            expected |= server(name, *started, service.get("environment", {}))
        actual: dict[str, object] = {}
        for service in job["services"]:
            started = (service["name"], service.get("command"))
            actual |= server(service["alias"], *started, service.get("variables", {}))
        found += differences(repository / GITLAB, expected, actual)
        hosts = {f"TEST_{name.upper()}_HOST": name for name in composed}
        variables = job["variables"]
        named = {key: value for key, value in variables.items() if "_HOST" in key}
        allowed = {"TEST_ALLOWED_HOSTS": ",".join(composed)}
        found += differences(repository / GITLAB, hosts | allowed, named)
    return found


def server(
    alias: str, image: str, command: list[str] | None, variables: dict[str, object]
) -> dict[str, object]:
    """How a server is started, where no variable of the compose file is set."""

    def filled_in(value: object) -> str:
        text = str(value).replace("${TEST_DOCKER_ADDRESS:-127.0.0.1}", alias)
        # Between containers; on GitLab, one does not know itself by its alias.
        text = text.replace("CONTAINERS://127.0.0.1:", f"CONTAINERS://{alias}:")
        return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)

    return {
        f"image of {alias}": filled_in(image),
        f"command of {alias}": command,
        **{f"{name} of {alias}": filled_in(each) for name, each in variables.items()},
    }


@gate
def same_tests(repositories: Repositories) -> str:
    """GitHub and GitLab run the same command, on the same Pythons, in as many parts."""
    found = ""
    for repository in having(having(repositories, GITHUB), GITLAB):
        github = load(repository / GITHUB)["jobs"]["integration-tests"]
        gitlab = load(repository / GITLAB)["integration-tests"]
        [command] = [
            step["run"] for step in github["steps"] if step.get("name") == "Test"
        ]
        [parts] = gitlab["parallel"]["matrix"]
        matrix = github["strategy"]["matrix"]
        expected = {
            "command": shlex.split(command.removeprefix("exec ")),
            "Pythons": matrix["python-version"],
            "parts": [str(part) for part in matrix.get("shard", [])],
        }
        actual = {
            "command": shlex.split(gitlab["script"][-1]),
            "Pythons": parts["PYTHON_VERSION"],
            "parts": parts.get("SHARD", []),
        }
        found += differences(repository / GITLAB, expected, actual)
    return found


@gate
def dependabot(repositories: Repositories) -> str:
    """Wherever Dependabot is told to look, there is a file that it looks for there."""
    # As its documentation and its own file fetchers have it.
    wanted = {
        "docker-compose": r"(docker-)?compose(-\w+)?(\.[\w-]+)?\.ya?ml",
        "github-actions": r"\.github/workflows/[^/]+\.ya?ml",
        "pip": r"[^/]*requirements[^/]*\.txt|pyproject\.toml",
        "uv": r"[^/]*requirements[^/]*\.txt|pyproject\.toml|uv\.lock",
    }
    found = ""
    for repository in having(repositories, DEPENDABOT):
        answers = load(repository / ".copier-answers.yml")
        for update in load(repository / DEPENDABOT)["updates"]:
            ecosystem = update["package-ecosystem"]
            for directory in update["directories"]:
                folder = repository / directory.strip("/")
                names = [
                    path.relative_to(folder).as_posix() for path in folder.rglob("*")
                ]
                if directory == "/" and not answers["starter"]:
                    # What an application that is there already is installed from.
                    names += ["pyproject.toml"]
                if not any(re.fullmatch(wanted[ecosystem], name) for name in names):
                    found += f"{DEPENDABOT}: nothing for {ecosystem} in {directory}\n"
    return found


def having(repositories: Repositories, path: str) -> Repositories:
    return [repository for repository in repositories if (repository / path).exists()]


def differences(path: Path, expected: dict[str, Any], actual: dict[str, Any]) -> str:
    return "".join(
        f"{path}: {key} is {actual.get(key)}, not {expected.get(key)}\n"
        for key in sorted(expected.keys() | actual.keys())
        if actual.get(key) != expected.get(key)
    )
