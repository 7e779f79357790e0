"""Rendered repositories to measure in, for the stacks that were asked for."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import yaml
from rich.console import Console
from rich.progress import track

from tests.stacks import Stack, write_django_project

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
MEASURED = Path(__file__).parent / "measured"
TERMINAL = Console(stderr=True)


def add_stacks(parser: argparse.ArgumentParser, default: Sequence[Stack]) -> None:
    """Let the stacks to measure be chosen by argument."""
    parser.add_argument(
        "--stacks",
        nargs="+",
        type=parse_stack,
        default=default,
        metavar="QUESTION=ANSWER,...",
        help="such as framework=flask,database=mysql; what is not answered is as in"
        f" `testbed new --defaults` (without this option: {len(default)} stacks)",
    )


def parse_stack(text: str) -> Stack:
    """The answers that an argument gives."""
    answers = (answer.partition("=") for answer in text.split(","))
    words: Stack = {"true": True, "false": False}
    return {question: words.get(answer, answer) for question, _, answer in answers}


def is_django(stack: Stack) -> bool:
    """Whether a stack's tests run on pytest-django."""
    return stack.get("framework") == "django"


def render(destination: Path, stack: Stack) -> None:
    """Render the work tree with `testbed new`."""
    testbed = [sys.executable, "-c", "from testbed.cli import run; run()"]
    data = [f"--data={question}={answer}" for question, answer in stack.items()]
    subprocess.run(
        [*testbed, "new", destination, "--defaults", *data],
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def rendered(stack: Stack) -> Iterator[Path]:
    """A repository of this stack, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        repository = Path(temporary) / "shop"
        render(repository, stack)
        write_django_project(repository, stack)
        yield repository


def install(repository: Path) -> Path:
    """Install a repository and its tests, and nothing else, as its README says.

    Gives the Python of the environment in which it is.
    """
    python = repository / ".venv" / "bin" / "python"
    venv = [sys.executable, "-m", "venv", ".venv"]
    requirements = ["-e", ".", "-r", "tests/integration/requirements.txt"]
    pip = [str(python), "-m", "pip", "install", "--quiet", *requirements]
    for command in (venv, pip):
        subprocess.run(command, cwd=repository, check=True)
    return python


def in_words_of(repository: Path, tests: str) -> str:
    """Asynchronous tests, in synchronous code if the repository's is."""
    answers = yaml.safe_load((repository / ".copier-answers.yml").read_text())
    if answers.get("database_access", "sync") == "async":
        return tests
    words = yaml.safe_load((ROOT / "template" / "sync_words.yml").read_text())
    words.insert(0, {"async": r"(\w+)\.run_sync\((.+)\)", "sync": r"\2(\1)"})
    for word in words:
        tests = re.sub(word["async"], word["sync"], tests)
    return tests


def compose(repository: Path, *arguments: str) -> str:
    """Call `docker compose` for a repository, and give what it prints."""
    command = ["docker", "compose", "-f", "docker-compose.test.yml", *arguments]
    # Others may have started the services of a repository that is called the same.
    project = {"COMPOSE_PROJECT_NAME": repository.parent.name.lower()}
    return subprocess.run(
        command,
        cwd=repository,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **project},
    ).stdout


@contextmanager
def services_up(repository: Path) -> Iterator[None]:
    """Keep the services up meanwhile; pytest finds and uses them."""
    try:
        compose(repository, "up", "--detach", "--wait")
        yield
    finally:
        compose(repository, "down", "--volumes", "--timeout", "0")


def run_pytest(
    repository: Path, stack: Stack, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a repository's tests with the plugins that it has, of all those here."""
    plugins = ["-panyio", "-pxdist", *(["-pdjango"] if is_django(stack) else [])]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *arguments],
        cwd=repository,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": "src",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )


def print_row(*cells: object) -> None:
    """Print a row of a Markdown table."""
    print("|", " | ".join(map(str, cells)), "|", flush=True)


def progress(steps: Sequence[T], of: str) -> Iterable[T]:
    """Go through steps; a terminal is shown how far."""
    return track(
        steps, of, console=TERMINAL, transient=True, disable=not TERMINAL.is_terminal
    )
