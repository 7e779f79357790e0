"""Every combination of stack answers renders into files that their linters accept.

One call of a linter sees the files of all, as its start takes longer than its work.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ..stacks import covering_stacks, every_stack, pairs
from .combinations import STACKS, files, run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def repositories(render: Callable[..., Path]) -> list[Path]:
    """A repository for each of the STACKS, all of them in one folder."""
    return [render(**stack) for stack in STACKS]


def test_the_stacks_that_run_for_real_have_every_pair_of_answers() -> None:
    possible = set().union(*map(pairs, every_stack()))
    assert set().union(*map(pairs, covering_stacks())) == possible


def test_python_is_clean_and_formatted(repositories: list[Path]) -> None:
    folder = repositories[0].parent
    run("ruff", "check", "--no-cache", ".", cwd=folder)
    run("ruff", "format", "--no-cache", "--check", ".", cwd=folder)


def test_yaml_is_clean(repositories: list[Path]) -> None:
    found = files(repositories, "*.yml")
    run("yamllint", "--strict", "-c", ROOT / ".yamllint", *found, cwd=ROOT)


def test_the_compose_file_follows_its_schema(repositories: list[Path]) -> None:
    found = files(repositories, "docker-compose.test.yml")
    schema = ("--builtin-schema", "vendor.compose-spec")
    run("check_jsonschema", *schema, *found, cwd=ROOT)


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


def test_nothing_of_the_template_is_left(repositories: list[Path]) -> None:
    for path in files(repositories):
        text = path.read_text(encoding="utf-8")
        # GitHub's expressions have braces, too: `${{ ... }}`.
        assert not re.search(r"(?<!\$)\{\{|\{%|%\}|\{#", text), path
        assert "\n\n\n" not in text or path.suffix in {".py", ".mako"}, path
        assert not text.startswith("\n"), path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path
        assert "{%" not in str(path)
        assert not path.name.endswith(".jinja")


def test_synchronous_code_has_no_word_of_the_other(
    render: Callable[..., Path],
) -> None:
    sync = [stack for stack in every_stack() if stack["database_access"] == "sync"]
    for path in files([render(**stack) for stack in sync], "*.py"):
        # WebSockets are asynchronous in both, and so are proxies.
        if path.stem in {"stock", "stock_feed", "test_stock_feed", "proxy", "kafka"}:
            continue
        text = path.read_text(encoding="utf-8").replace("async def lifespan", "")
        found = re.search(r"\b(async|await|anyio|asyncio)\b|Async(?!Generator)", text)
        assert not found, f"{path}: {found}"


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
                assert ("<user>:<password>@" in found[1]) == bool(facts["user"]), stack
