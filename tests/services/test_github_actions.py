"""GitHub's workflow is executed, on real services: what passes, fails, and is left.

act runs it on this machine, with stand-ins for the actions that it uses. What that
cannot show is told in tests/stand_ins/README.md.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from markdown_it import MarkdownIt

from ..ordinary_repositories import REPOSITORIES
from .conftest import ROOT, MakeRepository, Repository, docker

BIN = Path(sys.executable).parent
STAND_INS = ROOT / "tests" / "stand_ins" / "actions"
WORKFLOW = ".github/workflows/integration-tests.yml"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ARTIFACT = f"integration-tests-{PYTHON}"
# Not the default, which a stack that somebody runs by hand has.
KAFKA_PORT = "39092"
# Where a proxy answers for the index, its certificate is among this machine's.
TRUST = {"UV_SYSTEM_CERTS": "true"}

GREEN = {
    "Install": "success",
    "Start services": "success",
    "Test": "success",
    "Summarize": "success",
    "Stop services": "success",
}
AFTER_A_FAILURE = {
    "Keep what the services say": "success",
    "Summarize": "success",
    "Stop services": "success",
}


@dataclass
class Run:
    """How act ran the workflow."""

    code: int
    log: list[dict[str, Any]]

    @property
    def steps(self) -> dict[str, str]:
        """How the steps with a name ended that were run."""
        return {
            entry["step"]: entry["stepResult"]
            for entry in self.log
            if entry.get("stage") == "Main" and "stepResult" in entry
            if entry["step"] in {**GREEN, **AFTER_A_FAILURE}
        }

    @property
    def jobs(self) -> dict[str, str]:
        return {e["jobID"]: e["jobResult"] for e in self.log if "jobResult" in e}

    @property
    def summary(self) -> str:
        [written] = [e["content"] for e in self.log if e.get("command") == "summary"]
        return written

    @property
    def output(self) -> str:
        """All that it says, to be shown when something is not as it should be."""
        return "".join(entry["msg"].rstrip("\n") + "\n" for entry in self.log)


@dataclass
class Pipeline:
    """A repository whose workflow act runs, each time under an id of its own."""

    repository: Repository
    folder: Path
    runs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def environment(self) -> dict[str, str]:
        """What its jobs see, without what is about this process alone."""
        ours = {"PYTHONPATH", "VIRTUAL_ENV", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"}
        variables = self.repository.environment
        return {
            **{name: variables[name] for name in variables.keys() - ours},
            "STAND_IN_ARTIFACTS": str(self.artifacts),
            "TEST_KAFKA_PORT": KAFKA_PORT,
            **TRUST,
        }

    def script(self, step: str) -> str:
        """What a step of its workflow runs."""
        text = (self.repository.path / WORKFLOW).read_text()
        steps = yaml.safe_load(text)["jobs"]["integration-tests"]["steps"]
        [script] = [each["run"] for each in steps if each.get("name") == step]
        return str(script)

    def run(self, **matrix: object) -> Run:
        """Run the workflow to its end, for one part of its matrix."""
        return self.end(self.start(**matrix))

    def start(self, **matrix: object) -> subprocess.Popen[bytes]:
        """Start act, as the leader of a process group."""
        self.artifacts.mkdir(parents=True, exist_ok=True)
        # act itself has the number 1 for every run.
        run = uuid.uuid4().hex[:8]
        uses = re.findall(
            r"uses: (actions/(\S+)@\S+)", (self.repository.path / WORKFLOW).read_text()
        )
        arguments = [
            *("push", "--json", "--workflows", WORKFLOW),
            *("--platform", "ubuntu-24.04=-self-hosted", "--env"),
            *(f"GITHUB_RUN_ID={run}", "--no-cache-server"),
            *("--action-cache-path", str(self.folder / "act")),
            *(f"--local-repository={use}={STAND_INS / name}" for use, name in uses),
            *(f"--matrix={key}:{value}" for key, value in matrix.items()),
        ]
        self.runs[run] = subprocess.Popen(
            [BIN / "act", *arguments],
            cwd=self.repository.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A shell that runs us in the background has told us to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        return self.runs[run]

    def end(self, act: subprocess.Popen[bytes]) -> Run:
        """Wait until act ends, and see that it has left nothing."""
        code = act.wait(timeout=600)
        lines = (self.folder / "log").read_text().splitlines()
        # Its last words are none of JSON.
        run = Run(code, [json.loads(line) for line in lines if line[0] == "{"])
        assert not self.left(), run.output
        return run

    def left(self) -> list[str]:
        """The containers, networks and processes of its runs that are there."""
        left = []
        for run in self.runs:
            label = f"label=com.docker.compose.project=shop-test-{run}-"
            for kind in ("container", "network"):
                listed = docker(kind, "ls", "--quiet", "--filter", label)
                left += [f"{kind} {name}" for name in listed.split()]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink().is_relative_to(self.folder):
                    left.append((process / "cmdline").read_text())
            except OSError:  # It has ended meanwhile.
                continue
        return left

    def remove(self) -> None:
        """Take down whatever is left, for the sake of the tests that follow."""
        for run, act in self.runs.items():
            if act.poll() is None:
                os.killpg(act.pid, signal.SIGKILL)
            project = f"shop-test-{run}-"
            self.repository.compose("-p", project, "down", "--volumes")


MakePipeline = Callable[..., Pipeline]


@pytest.fixture
def make_pipeline(
    make_repository: MakeRepository, tmp_path: Path
) -> Iterator[MakePipeline]:
    """Makes a rendered repository with a workflow for this Python."""
    made: list[Pipeline] = []

    def make(source: Path | None = None, **answers: object) -> Pipeline:
        answers = {"python_versions": [PYTHON], **answers}
        repository = make_repository(source=source, **answers)
        # GitHub knows it, act's schema does not yet.
        workflow = repository.path / WORKFLOW
        text = workflow.read_text()
        assert text.count("      deployment: false\n") == 1
        workflow.write_text(text.replace("      deployment: false\n", ""))
        git = ["git", "-C", repository.path, "-c", "user.name=t", "-c", "user.email=t"]
        for command in (
            ["init", "--quiet"],
            ["commit", "--quiet", "--allow-empty", "--message=First"],
            ["remote", "add", "origin", "https://github.com/organisation/shop.git"],
        ):
            subprocess.run([*git, *command], check=True)
        made.append(Pipeline(repository, tmp_path / "pipeline"))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.remove()


@pytest.fixture
def make_guestbook(
    make_pipeline: MakePipeline, render: Callable[..., Path]
) -> MakePipeline:
    """Makes an ordinary repository, which was not made for the bed and needs little."""
    [ordinary] = (each for each in REPOSITORIES if each.name == "flask_guestbook")

    def make(**answers: object) -> Pipeline:
        fixed = {"starter": False, "cache": "none", "installer": "requirements"}
        answers = {**fixed, "python_versions": [PYTHON], **answers, **ordinary.answers}
        return make_pipeline(source=render(over=ordinary.path, **answers))

    return make


def reported_in(artifact: Path) -> list[str]:
    """The tests that the JUnit report names."""
    report = ElementTree.parse(artifact / "junit.xml")
    return [f"{c.get('classname')}.{c.get('name')}" for c in report.iter("testcase")]


def tables(markdown: str) -> dict[str, list[list[str]]]:
    """The rows of each table, by the head of its first column."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and token.level > 3:
            rows[-1].append("".join(part.content for part in token.children or []))
    found: dict[str, list[list[str]]] = {}
    for row in rows:
        if row[0] in ("Failed", "Slowest"):
            head = row[0]
            found[head] = []
        else:
            found[head].append(row)
    return found


def assert_green(run: Run, artifact: Path) -> None:
    """It passed, and has left what a run leaves that passes."""
    assert run.code == 0, run.output
    assert run.steps == GREEN
    assert set(run.jobs.values()) == {"success"}
    # The services of the step before are what the tests ran on.
    assert "testbed: starting" not in run.output
    assert {path.name for path in artifact.iterdir()} == {
        *("junit.xml", "coverage.xml", "coverage")
    }
    assert (artifact / "coverage" / "index.html").exists()
    assert ElementTree.parse(artifact / "coverage.xml").getroot().tag == "coverage"
    tests = reported_in(artifact)
    assert "## Integration tests: success\n" in run.summary
    assert f"\n{len(tests)} tests, 0 failed, 0 skipped\n" in run.summary
    [slowest] = tables(run.summary).values()
    assert {name for name, _ in slowest} <= set(tests)


def test_fastapi_by_pip(make_pipeline: MakePipeline) -> None:
    run = (pipeline := make_pipeline()).run()
    assert_green(run, pipeline.artifacts / ARTIFACT)


@pytest.mark.parametrize(
    "answers",
    [
        {"framework": "flask", "database": "mysql", "broker": "kafka"},
        {"framework": "django", "database": "postgres", "cache": "valkey"},
    ],
    ids=lambda answers: answers["framework"],
)
def test_by_uv_after_the_readmes_own_command(
    make_pipeline: MakePipeline, tmp_path: Path, answers: dict[str, object]
) -> None:
    pipeline = make_pipeline(installer="uv", **answers)
    folder = pipeline.repository.path
    readme = (folder / "tests" / "integration" / "README.md").read_text()
    command = re.search(r"\| uv \| `(.*)` \|", readme)
    assert command
    place = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        # What is in the repository is what the workflow would find.
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "environment"),
        **TRUST,
    }
    subprocess.run(
        command[1], shell=True, check=True, cwd=folder, env=os.environ | place
    )

    assert_green(pipeline.run(), pipeline.artifacts / ARTIFACT)


def test_an_existing_repository_in_parts(make_guestbook: MakePipeline) -> None:
    guestbook = make_guestbook(ci_shards=2)
    tests = []
    for shard in (1, 2):
        run = guestbook.run(shard=shard)
        artifact = guestbook.artifacts / f"{ARTIFACT}-{shard}"
        assert_green(run, artifact)
        tests += reported_in(artifact)
    collected = re.search(r"collected (\d+) items", run.output)
    assert collected
    assert len(tests) == len(set(tests)) == int(collected[1])


def assert_tells_of_a_failure(run: Run) -> None:
    assert run.code != 0, run.output
    assert set(run.jobs.values()) == {"failure"}
    assert run.steps.items() >= AFTER_A_FAILURE.items(), run.output


def test_a_failing_test(make_guestbook: MakePipeline) -> None:
    guestbook = make_guestbook()
    guestbook.repository.add_test(
        "failing",
        "import pytest\n"
        "@pytest.mark.parametrize('value', ['a|b`c*<d>'])\n"
        "def test_fails(database, value):\n"
        "    assert value == 'a|b`c*<e>'\n",
    )
    run = guestbook.run()
    assert_tells_of_a_failure(run)
    assert run.steps["Start services"] == "success"
    assert run.steps["Test"] == "failure"
    artifact = guestbook.artifacts / ARTIFACT
    assert {path.name for path in artifact.iterdir()} == {
        *("junit.xml", "coverage.xml", "coverage", "services.txt", "services.log")
    }
    assert "## Integration tests: failure\n" in run.summary
    tests = reported_in(artifact)
    assert f"\n{len(tests)} tests, 1 failed, 0 skipped\n" in run.summary
    [[failed, message]] = tables(run.summary)["Failed"]
    assert failed == "tests.integration.test_failing.test_fails[a|b'c*<d>]"
    assert message.startswith("AssertionError: assert 'a|b'c*<d>' == 'a|b'c*<e>'")
    assert "postgres-1" in (artifact / "services.log").read_text()


def test_a_service_that_never_becomes_healthy(make_guestbook: MakePipeline) -> None:
    guestbook = make_guestbook()
    path = guestbook.repository.path / "docker-compose.test.yml"
    compose = yaml.safe_load(path.read_text())
    # The times are not those of the bed, which waits three minutes and more.
    healthcheck = {"test": ["CMD", "false"], "interval": "1s", "retries": 3}
    compose["services"]["rabbitmq"]["healthcheck"] = healthcheck
    path.write_text(yaml.safe_dump(compose))

    run = guestbook.run()

    assert_tells_of_a_failure(run)
    assert run.steps["Start services"] == "failure"
    assert "Test" not in run.steps
    artifact = guestbook.artifacts / ARTIFACT
    assert {path.name for path in artifact.iterdir()} == {
        *("services.txt", "services.log")
    }
    states = (artifact / "services.txt").read_text().splitlines()
    assert [line.split()[3] for line in states if "(unhealthy)" in line] == ["rabbitmq"]
    assert "rabbitmq-1" in (artifact / "services.log").read_text()
    assert "## Integration tests: skipped\n\npytest has left no report" in run.summary


ENDLESS = """
import pathlib, time

def test_endless():
    pathlib.Path({started!r}).touch()
    time.sleep(600)
"""


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 300
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_cancelled_run(make_guestbook: MakePipeline, tmp_path: Path) -> None:
    guestbook = make_guestbook()
    started = tmp_path / "started"
    body = ENDLESS.format(started=str(started))
    guestbook.repository.add_test("endless", body)
    act = guestbook.start()
    wait_for(started)
    os.kill(act.pid, signal.SIGINT)
    run = guestbook.end(act)

    assert_tells_of_a_failure(run)
    assert "## Integration tests: failure\n\npytest has left no report" in run.summary
    artifact = guestbook.artifacts / ARTIFACT
    assert {"services.txt", "services.log"} <= {p.name for p in artifact.iterdir()}
    assert "(healthy)" in (artifact / "services.txt").read_text()

    # act kills the shell and all below it. GitHub's runner interrupts the shell alone,
    # and kills what is there ten seconds later; until then pytest writes its report.
    [checkout] = guestbook.folder.glob("act/*/hostexecutor/tests")
    python = checkout.parents[1] / "tmp" / "python" / "bin"
    script = tmp_path / "script"
    script.write_text(guestbook.script("Test"))
    started.unlink()
    shell = subprocess.Popen(
        ["bash", "-eo", "pipefail", script],
        cwd=checkout.parent,
        env={
            **guestbook.environment,
            "PATH": f"{python}:{os.environ['PATH']}",
            "PYTEST_ADDOPTS": "-k endless",
        },
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(started)
    shell.send_signal(signal.SIGINT)
    assert shell.wait(timeout=60) == pytest.ExitCode.INTERRUPTED
    assert (checkout.parent / "reports" / "junit.xml").exists()
    assert not guestbook.left()
