"""The bed works in repositories that were not made for it.

tests/ordinary has three of them, each with a hand-written wiring.py; what is managed
comes from the template.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, MakeRepository, Repository

ORDINARY = ROOT / "tests" / "ordinary"

# The template has no Django yet: what is the same for every framework has to do.
FOR_EVERY_FRAMEWORK = [
    "__init__",
    "compose",
    "diagnostics",
    "endpoints",
    "guard",
    "lifecycle",
    "locks",
    "postgres",
    "processes",
    "reaper",
]

# What each of them has installed beside the bed.
PLUGINS = {
    "django_blog": "django",
    "fastapi_module_engine": "",
    "own_pytest_options": "pytest_asyncio.plugin",
}


@pytest.fixture(params=sorted(PLUGINS))
def repository(
    request: pytest.FixtureRequest,
    make_repository: MakeRepository,
    render: Callable[..., Path],
) -> Repository:
    name = request.param
    bed = render(starter=False, cache="none", broker="none")
    repository = make_repository(source=ORDINARY / name)
    integration = repository.path / "tests" / "integration"
    shutil.copy(bed / "docker-compose.test.yml", repository.path)
    (integration / "__init__.py").touch()
    if name == "django_blog":
        (integration / "support").mkdir()
        for module in FOR_EVERY_FRAMEWORK:
            file = bed / "tests" / "integration" / "support" / f"{module}.py"
            shutil.copy(file, integration / "support")
    else:
        for file in (bed / "tests" / "integration").rglob("*"):
            target = integration / file.relative_to(bed / "tests" / "integration")
            if file.is_file() and not target.exists():
                target.parent.mkdir(exist_ok=True)
                shutil.copy(file, target)
    if PLUGINS[name]:
        repository.plugins.append(PLUGINS[name])
    return repository


@pytest.mark.parametrize(
    "arguments", ["", "-n 4", "tests/integration -n 4"], ids=lambda a: a or "plain"
)
def test_services_start_once_and_nothing_is_left(
    repository: Repository, arguments: str
) -> None:
    result = repository.pytest(*arguments.split())
    assert result.code == 0, result.output
    assert set(result.counts) == {"passed"}
    assert result.output.count("testbed: starting postgres") <= 1
    repository.wait_until_nothing_is_left()


@pytest.mark.parametrize("arguments", ["tests/unit", "--collect-only"])
def test_without_need_nothing_starts(repository: Repository, arguments: str) -> None:
    result = repository.pytest(arguments)
    assert result.code == 0, result.output
    assert repository.containers() == {}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_after_an_interrupted_run(
    repository: Repository, ending: signal.Signals
) -> None:
    run = repository.start_pytest("-n", "4")
    deadline = time.monotonic() + 60
    while not repository.containers():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(run.pid, ending)
    run.communicate(timeout=60)
    repository.wait_until_nothing_is_left(60)
