"""The rendered GitLab pipelines run on real services, executed by gitlab-ci-local.

What a test changes in the copy that it executes is the names of images, as no registry
is reachable everywhere. tests/stand_ins/README.md tells what this does not show.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import certifi
import pytest
import yaml
from pip._internal.models.index import PyPI

from ..ordinary_repositories import REPOSITORIES
from ..stacks import Stack
from . import npm
from .conftest import Repository, docker

JOBS = ".gitlab/integration-tests.yml"

# The Python of the stand-in.
GITLAB: Stack = {"ci": ["gitlab"], "python_versions": ["3.13"]}
ORDINARY = {ordinary.name: ordinary for ordinary in REPOSITORIES}

STACKS: list[Stack] = [
    {"framework": "fastapi", "cache": "redis", "broker": "rabbitmq"},
    {"framework": "flask", "database": "mysql", "broker": "kafka"},
    {"framework": "django", "cache": "valkey"},
]


def additional_certificates() -> str:
    """What this machine trusts beyond the usual: that of a proxy, or of an index."""
    usual = ssl.create_default_context(cafile=certifi.where())
    ours = ssl.create_default_context()
    found = set(ours.get_ca_certs(True)) - set(usual.get_ca_certs(True))
    return "".join(map(ssl.DER_cert_to_PEM_cert, found))


def variables_of_an_organisation() -> dict[str, str]:
    """What reaches the index of this machine, as a group on GitLab would set it."""
    index = os.environ.get("PIP_INDEX_URL") or PyPI.simple_url
    # With a slash more than the default has, pip says which index it uses.
    # Nobody reads the byte code of a container that ends at once: it only takes time.
    variables = {"PIP_INDEX_URL": index.rstrip("/") + "/", "PIP_NO_COMPILE": "1"}
    if certificates := additional_certificates():
        variables["ADDITIONAL_CA_CERT_BUNDLE"] = certificates
    return variables


@pytest.fixture(scope="session")
def program() -> list[str]:
    """The command that executes a pipeline."""
    program = npm.install("gitlab-ci-local", 4)
    # Not the command `node`, a wrapper that would take the signals meant for it.
    ask = [npm.BIN / "node", "--print", "process.execPath"]
    node = subprocess.run(ask, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [node.strip(), str(program)]


@dataclass
class Job:
    """What a job left: its log, and its artifacts."""

    log: str
    artifacts: Path

    @property
    def tests(self) -> list[str]:
        """The tests of its JUnit report."""
        cases = self.junit.iter("testcase")
        return [f"{case.get('classname')}.{case.get('name')}" for case in cases]

    @property
    def junit(self) -> ElementTree.Element:
        """The suite of its JUnit report."""
        report = ElementTree.parse(self.artifacts / "reports" / "junit.xml")
        return next(report.iter("testsuite"))


@dataclass
class Project:
    """A repository on GitLab, so to speak."""

    path: Path
    command: list[str]
    environment: dict[str, str]
    variables: dict[str, str] = field(default_factory=variables_of_an_organisation)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start gitlab-ci-local."""
        variables = [f"{name}={value}" for name, value in self.variables.items()]
        return subprocess.Popen(
            [
                *self.command,
                *arguments,
                *itertools.chain(*(["--variable", each] for each in variables)),
            ],
            cwd=self.path,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Execute the pipeline to its end; give the exit code and what was printed."""
        run = self.start(*arguments)
        output, _ = run.communicate(timeout=600)
        return run.returncode, output

    @property
    def jobs(self) -> list[Job]:
        """What the last run left, by job."""
        state = self.path / ".gitlab-ci-local"
        logs = sorted((state / "output").glob("*.log"))
        return [Job(log.read_text(), state / "artifacts" / log.stem) for log in logs]

    def git(self, *arguments: str) -> None:
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        subprocess.run(["git", *author, *arguments], cwd=self.path, check=True)


MakeProject = Callable[..., Project]


@pytest.fixture
def make_project(
    render: Callable[..., Path],
    images: dict[str, str],
    program: list[str],
    tmp_path: Path,
) -> MakeProject:
    """Makes a repository with rendered pipelines, or gives them to an ordinary one."""

    def make(ordinary: str = "", **answers: object) -> Project:
        path = tmp_path / "project"
        source = (
            ORDINARY[ordinary].with_bed(render, **GITLAB, **answers)
            if ordinary
            else render(**GITLAB, **answers)
        )
        shutil.copytree(source, path)
        jobs = path / JOBS
        jobs.write_text(with_images(jobs.read_text(), images))
        options = ["--no-color", "--pull-policy=if-not-present"]
        if python := images.get("PYTHON_IMAGE"):
            # The second would wait until ports are open, as GitLab does for a while:
            # it cannot, so that only the tests themselves wait.
            options += [f"--helper-image={python}", f"--wait-image={python}"]
            write_rsync(tmp_path / "bin" / "rsync", python)
        search_path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        project = Project(
            path,
            [*program, *options, "--no-artifacts-to-source"],
            {**os.environ, "PATH": search_path},
        )
        project.git("init", "--quiet", "--initial-branch=main")
        project.git("remote", "add", "origin", "https://gitlab.example.com/a/shop.git")
        project.git("add", ".")
        project.git("commit", "--quiet", "--message=All")
        return project

    return make


def with_images(jobs: str, images: dict[str, str]) -> str:
    """The jobs, with our images in place of the official ones."""
    for job in yaml.safe_load(jobs).values():
        for service in job["services"]:
            image = images.get(f"{service['alias'].upper()}_IMAGE", service["name"])
            jobs = jobs.replace(f"- name: {service['name']}\n", f"- name: {image}\n")
    official = "python:$PYTHON_VERSION-slim"
    assert official in jobs
    return jobs.replace(official, images.get("PYTHON_IMAGE", official))


def write_rsync(path: Path, image: str) -> None:
    """The program that gitlab-ci-local copies with, which the stand-in has."""
    path.parent.mkdir()
    run = 'docker run --rm --volume "$PWD:$PWD" --workdir "$PWD"'
    path.write_text(f'#!/bin/sh\nexec {run} {image} rsync "$@"\n')
    path.chmod(0o755)


def remains() -> dict[str, list[str]]:
    """What gitlab-ci-local has on the engine: its containers have a project mounted."""
    return {
        "containers": docker("ps", "-aq", "--filter", "volume=/builds/a/shop").split(),
        "networks": docker(
            "network", "ls", "-q", "--filter", "name=gitlab-ci-local-"
        ).split(),
        "volumes": docker("volume", "ls", "-q", "--filter", "name=gcl-").split(),
    }


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Whatever becomes of a pipeline."""
    yield
    assert not any(remains().values())


def assert_green(project: Project, code: int, output: str) -> None:
    assert code == 0, output
    for job in project.jobs:
        passed = len(job.tests)
        assert f"= {passed} passed" in job.log, job.log
        assert job.junit.get("failures") == job.junit.get("skipped") == "0"
        (total,) = re.findall(r"^TOTAL .* (\d+)%$", job.log, re.M)
        assert f"{total}% coverage" in output, output
        reports = {path.name for path in (job.artifacts / "reports").iterdir()}
        assert reports == {"junit.xml", "coverage.xml", "coverage"}


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack["framework"])
def test_an_example_application_is_green(
    make_project: MakeProject, stack: Stack
) -> None:
    project = make_project(**stack)
    code, output = project.run()
    assert_green(project, code, output)
    (job,) = project.jobs
    assert f"Looking in indexes: {project.variables['PIP_INDEX_URL']}\n" in job.log
    # The unit tests, too.
    assert {name.split(".")[1] for name in job.tests} == {"unit", "integration"}


def test_in_an_existing_repository_every_part_has_tests_of_its_own(
    make_project: MakeProject,
) -> None:
    project = make_project("flask_guestbook", installer="requirements", ci_shards=2)
    code, output = project.run()
    assert_green(project, code, output)
    parts = [set(job.tests) for job in project.jobs]
    assert len(parts) == 2
    assert all(parts)
    assert parts[0].isdisjoint(parts[1])
    for job in project.jobs:
        (collected,) = re.findall(r"collected (\d+) items", job.log)
        assert int(collected) == sum(map(len, parts))


def test_a_failed_test_fails_the_job_and_is_in_its_reports(
    make_project: MakeProject,
) -> None:
    project = make_project("flask_guestbook", installer="requirements")
    test = project.path / "tests" / "integration" / "test_arithmetic.py"
    test.write_text("def test_sum():\n    assert 1 + 1 == 3\n")
    project.git("add", ".")
    code, output = project.run()
    assert code == 1
    assert "FAIL  integration-tests: [3.13]" in output, output
    (job,) = project.jobs
    (failure,) = job.junit.iter("failure")
    assert failure.get("message") == "assert (1 + 1) == 3"
    assert len(job.tests) > 30
    coverage = ElementTree.parse(job.artifacts / "reports" / "coverage.xml").getroot()
    assert int(coverage.get("lines-covered", 0)) > 0
    assert (job.artifacts / "reports" / "coverage" / "index.html").exists()


def test_a_service_that_ends_at_once_is_named_once_and_ends_the_run(
    make_project: MakeProject,
) -> None:
    project = make_project("flask_guestbook", installer="requirements")
    jobs = project.path / JOBS
    assert "fsync=off" in jobs.read_text()
    jobs.write_text(jobs.read_text().replace("fsync=off", "fsync=perhaps"))
    Repository(project.path, project.environment).wait_for_others(5)
    code, _ = project.run()
    assert code == 1
    (job,) = project.jobs
    assert "PostgreSQL at postgres:5432 did not answer within 5 s" in job.log
    (error,) = job.junit.iter("error")
    assert "PostgreSQL is not available" in error.get("message", "")
    assert len(job.tests) == 1


def test_a_cancelled_pipeline_leaves_nothing(make_project: MakeProject) -> None:
    project = make_project("flask_guestbook", installer="requirements")
    run = project.start()
    deadline = time.monotonic() + 60
    while not any("$ pip install" in job.log for job in project.jobs):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    before = remains()
    assert [len(found) for found in before.values()] == [3, 1, 2]
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    after = remains()
    assert set(after["containers"]).isdisjoint(before["containers"])
    assert not after["networks"]
    # gitlab-ci-local starts to copy artifacts when it has already cleaned up.
    for container in after["containers"]:
        docker("rm", "--force", "--volumes", container)
    for volume in after["volumes"]:
        docker("volume", "rm", volume)


@pytest.mark.parametrize(
    ("source", "variables", "runs"),
    [
        ("merge_request_event", {"CI_OPEN_MERGE_REQUESTS": "a/shop!1"}, True),
        ("push", {"CI_COMMIT_BRANCH": "main"}, True),
        (
            "push",
            {"CI_COMMIT_BRANCH": "x", "CI_OPEN_MERGE_REQUESTS": "a/shop!1"},
            False,
        ),
        # Asked for by somebody.
        ("web", {"CI_COMMIT_BRANCH": "x", "CI_OPEN_MERGE_REQUESTS": "a/shop!1"}, True),
        ("schedule", {"CI_COMMIT_BRANCH": "main"}, True),
        ("push", {"CI_COMMIT_TAG": "v1.0"}, False),
    ],
    ids=["merge request", "branch", "its branch", "by hand", "schedule", "tag"],
)
def test_a_push_is_tested_once(
    make_project: MakeProject, source: str, variables: dict[str, str], runs: bool
) -> None:
    project = make_project()
    project.variables = {"CI_PIPELINE_SOURCE": source, **variables}
    unset = (
        [] if "CI_COMMIT_BRANCH" in variables else ["--unset-variable=CI_COMMIT_BRANCH"]
    )
    code, output = project.run("--list-csv", *unset)
    assert code == 0, output
    assert ("integration-tests" in output) == runs, output
