"""Every combination of stack answers renders into files that their linters accept.

One call of a linter sees the files of all, as its start takes longer than its work.
Only mypy is called for each, in a folder where it remembers the one before.
"""

from __future__ import annotations

import filecmp
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ..stacks import Stack, covering_stacks, every_stack, name, pairs

ROOT = Path(__file__).parents[2]

# Answers that change names and depths rather than files.
VARIANTS: list[Stack] = [
    {"project_name": "A project with a name of forty chars - x"},
    {"package_name": "a_package_with_a_name_of_forty_character", "tests_dir": "tests"},
    {"starter": False, "tests_dir": "some/deep/tree/of/tests"},
    {"image_registry": "registry.example.com:5000/docker-hub"},
    {"versions": {"postgres": 16, "redis": 7, "rabbitmq": 3}},
    {"broker": "kafka", "versions": {"kafka": 3}, "image_registry": "mirror.test"},
    {"database": "mysql", "versions": {"mysql": 8.4}, "cache": "none"},
]
STACKS = every_stack() + VARIANTS
DEFAULTS: Stack = {"framework": "fastapi", "starter": True}

# They share what they render, so one worker has them all.
in_one_worker = pytest.mark.xdist_group("combinations")


@pytest.fixture(scope="session")
def repositories(render: Callable[..., Path]) -> list[Path]:
    """A repository for each of the STACKS, all of them in one folder."""
    return [render(**stack) for stack in STACKS]


def files(repositories: list[Path], pattern: str = "*") -> list[Path]:
    """The files of that name in all repositories; of equal ones, the first."""
    found: dict[tuple[Path, bytes], Path] = {}
    for repository in repositories:
        for path in repository.rglob(pattern):
            if path.is_file():
                key = (path.relative_to(repository), path.read_bytes())
                found.setdefault(key, path)
    return list(found.values())


def run(*command: object, cwd: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_stacks_that_run_for_real_have_every_pair_of_answers() -> None:
    possible = set().union(*map(pairs, every_stack()))
    assert set().union(*map(pairs, covering_stacks())) == possible


@in_one_worker
def test_python_is_clean_and_formatted(repositories: list[Path]) -> None:
    folder = repositories[0].parent
    run("ruff", "check", "--no-cache", ".", cwd=folder)
    run("ruff", "format", "--no-cache", "--check", ".", cwd=folder)


@pytest.mark.parametrize("starter", [True, False], ids=["starter", "blank"])
@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_python_is_typed(
    render: Callable[..., Path],
    tmp_path: Path,
    subtests: pytest.Subtests,
    framework: str,
    starter: bool,
) -> None:
    kind = {"framework": framework, "starter": starter}
    stacks = [stack for stack in STACKS if DEFAULTS | stack | kind == DEFAULTS | stack]
    # The starter has its own strict configuration; without it, ours is as strict.
    arguments = [] if starter else ["--strict", "."]
    folder = tmp_path / "repository"
    cache = ("--sqlite-cache", "--cache-dir", tmp_path / "cache")
    for stack in sorted(stacks, key=by_common_files):
        make_alike(folder, render(**stack))
        with subtests.test(name(stack)):
            run("mypy", *cache, *arguments, cwd=folder)


def by_common_files(stack: Stack) -> list[str]:
    """Sort stacks so that neighbours have most files in common."""
    order = ("database_access", "broker", "database", "cache")
    return [str(stack.get(question)) for question in order]


def make_alike(folder: Path, repository: Path) -> None:
    """Give a folder the files of a repository; equal ones keep their time."""
    wanted = {path.relative_to(repository) for path in files([repository])}
    for path in files([folder]) if folder.exists() else []:
        if path.relative_to(folder) not in wanted:
            path.unlink()
    for path in wanted:
        source, target = repository / path, folder / path
        if not target.exists() or not filecmp.cmp(source, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


@in_one_worker
def test_yaml_is_clean(repositories: list[Path]) -> None:
    found = files(repositories, "*.yml")
    run("yamllint", "--strict", "-c", ROOT / ".yamllint", *found, cwd=ROOT)


@in_one_worker
def test_the_compose_file_follows_its_schema(repositories: list[Path]) -> None:
    found = files(repositories, "docker-compose.test.yml")
    schema = ("--builtin-schema", "vendor.compose-spec")
    run("check_jsonschema", *schema, *found, cwd=ROOT)


@in_one_worker
def test_every_service_has_a_health_check_and_hardening(
    repositories: list[Path],
) -> None:
    loopback = "${TEST_DOCKER_ADDRESS:-127.0.0.1}:"
    for path in files(repositories, "docker-compose.test.yml"):
        compose = yaml.safe_load(path.read_text(encoding="utf-8"))
        for service in compose["services"].values():
            assert service["healthcheck"]["test"]
            assert service["healthcheck"]["start_interval"]
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["tmpfs"]
            assert all(port.startswith(loopback) for port in service["ports"])
            assert "container_name" not in service
        assert "version" not in compose


@in_one_worker
def test_nothing_of_the_template_is_left(repositories: list[Path]) -> None:
    for path in files(repositories):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\{\{|\{%|%\}|\{#", text), path
        assert "\n\n\n" not in text or path.suffix in {".py", ".mako"}, path
        assert not text.startswith("\n"), path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path
        assert "{%" not in str(path)
        assert not path.name.endswith(".jinja")


@in_one_worker
def test_synchronous_code_has_no_word_of_the_other(
    render: Callable[..., Path],
) -> None:
    sync = [stack for stack in every_stack() if stack["database_access"] == "sync"]
    for path in files([render(**stack) for stack in sync], "*.py"):
        # WebSockets are asynchronous in both.
        if path.stem in {"stock", "stock_feed", "test_stock_feed"}:
            continue
        text = path.read_text(encoding="utf-8").replace("async def lifespan", "")
        found = re.search(r"\b(async|await|anyio|asyncio)\b|Async(?!Generator)", text)
        assert not found, f"{path}: {found}"


@in_one_worker
def test_a_managed_file_says_so_and_others_do_not(repositories: list[Path]) -> None:
    for repository in repositories:
        managed = managed_files(repository)
        for path in files([repository]):
            if path.name in {".copier-answers.yml", "__init__.py"}:
                continue
            text = path.read_text(encoding="utf-8")
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


@in_one_worker
def test_the_readme_has_a_login_where_the_service_has_one(
    render: Callable[..., Path],
) -> None:
    for stack in covering_stacks():
        if not stack["starter"]:
            continue
        readme = (render(**stack) / "README.md").read_text(encoding="utf-8")
        for role in ("database", "cache", "broker"):
            found = re.search(rf"export {role.upper()}_URL=(.*)", readme)
            if found:
                folder = ROOT / "template" / "services" / str(stack[role])
                facts = yaml.safe_load((folder / "facts.yml").read_text())
                assert ("user:password@" in found[1]) == bool(facts["user"]), stack
