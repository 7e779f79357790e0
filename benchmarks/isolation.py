"""What does isolating a test cost, beside the same statements and beside create_all?

Runs a module of its own in a rendered repository and compares, test by test in turns:
our fixture; the same statements through the same SQLAlchemy layer, without it; real
commits and our reset; create_all and drop_all around each test.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from repository import render

ROUNDS = 100

MODULE = '''
import json
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker

from shop.models import Base

pytestmark = pytest.mark.anyio
SELECT = text("SELECT 1")


@pytest.fixture
async def same_statements(engine):
    async with engine.connect() as connection:
        transaction = await connection.begin()
        savepoint = await connection.begin_nested()
        yield connection
        await savepoint.rollback()
        await transaction.rollback()


@pytest.fixture
async def created(engine):
    """In a schema of its own, as the tables of the repository stay where they are."""
    in_scratch = {"schema_translate_map": {None: "scratch"}}
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA IF NOT EXISTS scratch"))
        scratch = await connection.execution_options(**in_scratch)
        await scratch.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine)() as session:
        yield session
    async with engine.begin() as connection:
        scratch = await connection.execution_options(**in_scratch)
        await scratch.run_sync(Base.metadata.drop_all)


@pytest.mark.parametrize("n", range(ROUNDS))
class TestIsolation:
    async def test_fixture(self, n, db_session):
        await db_session.execute(SELECT)

    async def test_same_statements(self, n, same_statements):
        await same_statements.execute(SELECT)

    @pytest.mark.commits
    async def test_commits(self, n, db_session):
        await db_session.execute(SELECT)

    async def test_create_all(self, n, created):
        await created.execute(SELECT)
'''

PLUGIN = """
import json
from pathlib import Path

durations = {}


def pytest_runtest_logreport(report):
    kind = report.nodeid.split("::")[-1].split("[")[0]
    durations.setdefault(kind, {}).setdefault(report.nodeid, 0.0)
    durations[kind][report.nodeid] += report.duration


def pytest_sessionfinish():
    Path("durations.json").write_text(json.dumps(durations))
"""


def main() -> None:
    """Measure, and print medians in milliseconds with their ratios to our fixture."""
    with tempfile.TemporaryDirectory() as temporary:
        repository = Path(temporary) / "shop"
        render(repository, "cache=none", "broker=none")
        tests = repository / "tests" / "integration"
        module = MODULE.replace("ROUNDS", str(ROUNDS))
        (tests / "test_benchmark.py").write_text(module)
        (repository / "durations.py").write_text(PLUGIN)
        plugins = ["-p", "anyio.pytest_plugin", "-p", "durations"]
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                *plugins,
                tests / "test_benchmark.py",
            ],
            cwd=repository,
            check=True,
            stdout=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": f"src{os.pathsep}.",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
        )
        durations = json.loads((repository / "durations.json").read_text())
    medians = {
        kind.removeprefix("test_"): statistics.median(tests.values())
        for kind, tests in durations.items()
    }
    for kind, median in medians.items():
        ratio = median / medians["same_statements"]
        print(f"{kind:16} {median * 1000:7.2f} ms, {ratio:6.2f} times same_statements")


if __name__ == "__main__":
    main()
