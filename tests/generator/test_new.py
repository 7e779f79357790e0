"""`testbed new`, called as a user calls it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from testbed.errors import UserError
from testbed.new import render_new
from testbed.template import Template


def testbed(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from testbed.cli import run; run()"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


testbed.__test__ = False  # type: ignore[attr-defined]


def refused(result: subprocess.CompletedProcess[str], destination: Path) -> str:
    """The one line with which a call was refused, without leaving anything behind."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("testbed: ")
    assert not destination.exists()
    assert list(destination.parent.iterdir()) == []
    return line


def test_a_folder_is_rendered_and_the_next_command_told(tmp_path: Path) -> None:
    result = testbed("new", tmp_path / "shop", "--defaults")
    assert result.returncode == 0, result.stderr
    assert "pip install -e . -r tests/integration/requirements.txt" in result.stdout
    assert (tmp_path / "shop" / "docker-compose.test.yml").exists()
    assert "\x1b" not in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_answers_come_from_a_file_and_from_options(tmp_path: Path) -> None:
    file = tmp_path / "answers.yml"
    file.write_text("cache: none\nbroker: none\n")
    options = ("--data-file", file, "-d", "broker=rabbitmq", "--json")
    result = testbed("new", tmp_path / "shop", *options)
    report = json.loads(result.stdout)
    assert "tests/integration/support/rabbitmq.py" in report["files"]
    assert "tests/integration/support/redis.py" not in report["files"]


def test_a_repository_that_git_has_just_made_counts_as_empty(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    result = testbed("new", tmp_path, "--defaults")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / ".git" / "HEAD").exists()
    assert (tmp_path / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("colour=red", '"colour" is no question; the questions are project_name,'),
        ("has_cache=false", '"has_cache" is computed'),
        ("images={}", '"images" is computed'),
        ("cache=memcached", "'memcached' is not in ['redis', 'valkey', 'none']"),
        ("starter=maybe", 'starter must be true or false, not "maybe"'),
        ("project_name=x: {", "project_name must start with a letter"),
        ("project_name=" + "x" * 41, "project_name must start with a letter"),
        ("package_name=class", 'package_name must not be "class"'),
        ("package_name=redis", 'package_name must not be "redis"'),
        ("package_name=Shop", "package_name must start with a lower-case letter"),
        ("tests_dir=/tests", "tests_dir must be a relative path"),
        ("tests_dir=tests/../..", "tests_dir must be a relative path"),
        ("image_registry=https://x.example", "image_registry must be a host"),
        ("versions={postgres: 9}", "known are 18, 17, 16"),
        ("versions={kafka: 4}", 'versions names "kafka"'),
        ("versions={postgres: 17.7}", "versions asks for postgres 17.7; known are 18"),
        ("versions=[18]", "versions must map services to major versions"),
        ("versions={", "versions is not YAML"),
        ("ci=gitlab", "ci must be a list, such as [github]"),
        ("ci=[jenkins]", "'jenkins' is not in ['github', 'gitlab']"),
        ("ci=[", "ci is not YAML"),
        ("python_versions=[]", "python_versions must name at least one"),
        ("python_versions=[3.9]", "'3.9' is not in ['3.11', '3.12', '3.13', '3.14']"),
        ("installer=requirements", "installer must not be requirements"),
        ("ci_shards=two", 'ci_shards must be a whole number, not "two"'),
        ("ci_shards=0", "ci_shards must be between 1 and 20"),
        ("project_name", "is not NAME=VALUE"),
    ],
)
def test_a_bad_answer_is_refused_in_one_line(
    tmp_path: Path, answer: str, reason: str
) -> None:
    destination = tmp_path / "shop"
    result = testbed("new", destination, "--defaults", "--data", answer)
    assert reason in refused(result, destination)


def test_a_bad_answer_in_a_file_is_refused_the_same(tmp_path: Path) -> None:
    for text, reason in {
        "colour: red": "is no question",
        "- cache": "must map names of questions to answers",
        "cache: [": "is not YAML",
        "ci: gitlab": "ci must be a list",
        "ci_shards: true": "ci_shards must be a whole number",
        "{ci: [gitlab], updates: dependabot}": "updates must not be dependabot",
    }.items():
        file = tmp_path / "answers.yml"
        file.write_text(text)
        destination = tmp_path / "new" / "shop"
        destination.parent.mkdir(exist_ok=True)
        result = testbed("new", destination, "--defaults", "--data-file", file)
        assert reason in refused(result, destination)


def test_a_folder_with_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = testbed("new", tmp_path, "--defaults")
    assert result.returncode == 1
    assert "is not empty" in result.stderr
    assert "testbed adopt" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_template_that_cannot_be_fetched_is_named_in_one_line(tmp_path: Path) -> None:
    nowhere = Template("file:///nowhere/template.git", "v1.0.0", {})
    with pytest.raises(UserError, match=r"cannot render .*template\.git at v1\.0\.0: "):
        render_new(nowhere, tmp_path / "shop", {}, ask=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = testbed("new", tmp_path / "file" / "shop", "--defaults")
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert str(tmp_path / "file") in line


def test_without_a_terminal_it_does_not_ask(tmp_path: Path) -> None:
    destination = tmp_path / "shop"
    assert "add --defaults" in refused(testbed("new", destination), destination)


def test_on_a_terminal_it_asks_and_can_be_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from testbed.cli import run; run()"]
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "new", tmp_path / "shop"], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while b"What is the project called?" not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, b"\x03")  # Ctrl-C
    assert process.wait(timeout=20) == 130
    os.close(terminal)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("new",), ("check", "--bogus"), ("bogus",)])
def test_a_call_that_is_wrong_has_an_error_s_code(arguments: tuple[str, ...]) -> None:
    """Typer's own is 2, which tells a script that the repository is behind."""
    result = testbed(*arguments)
    assert result.returncode == 1
    assert "Error: " in result.stderr
    assert "--help" in result.stderr


def test_help_shows_examples() -> None:
    assert (
        "testbed new shop --defaults -d broker=none" in testbed("new", "--help").stdout
    )


def test_the_answers_of_a_new_repository_hold_choices_only(tmp_path: Path) -> None:
    testbed("new", tmp_path / "shop", "--defaults")
    answers = yaml.safe_load((tmp_path / "shop" / ".copier-answers.yml").read_text())
    recorded = {name for name in answers if not name.startswith("_")}
    assert recorded == {
        "project_name",
        "package_name",
        "framework",
        "database_access",
        "database",
        "cache",
        "broker",
        "starter",
        "tests_dir",
        "image_registry",
        "versions",
        "ci",
        "python_versions",
        "installer",
        "ci_shards",
        "updates",
    }
