"""What `testbed adopt` changes in a repository: little, and nothing is lost."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..update.conftest import commit, git, tree
from .conftest import Adopt
from .corpus import Case, write

SHOP = Case(
    "shop",
    {
        "pyproject.toml": """
            [project]
            name = "shop"
            requires-python = ">=3.12"
            dependencies = ["flask", "sqlalchemy", "psycopg"]

            [tool.pytest.ini_options]
            testpaths = ["tests/unit"]
        """,
        "requirements.txt": "-e .\n",
        "shop/__init__.py": "",
        "shop/main.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        "tests/unit/test_nothing.py": "",
    },
    {},
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository that tells all but its models, its CI and its installer."""
    return SHOP.make(tmp_path / "shop")


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one line with which a call was refused."""
    assert result.returncode == 1, (result.stdout, result.stderr)
    (line,) = result.stderr.splitlines()
    assert line.startswith("testbed: ")
    return line


def run_undo(folder: Path, stdout: str) -> None:
    """Run what the command printed last."""
    _, _, commands = stdout.partition("To take all of it back:\n")
    assert commands
    subprocess.run(["sh", "-ec", commands], cwd=folder, check=True)


def test_what_it_printed_takes_all_of_it_back(shop: Path, adopt: Adopt) -> None:
    before = tree(shop)
    result = adopt(shop, "--yes", "--patch", "-d", "installer=requirements")
    assert result.returncode == 0, result.stderr
    assert "flask" in result.stdout
    assert "shop/main.py:3 (app = Flask())" in result.stdout
    assert "not told, so none: ci (-d ci=...)" in result.stdout
    pyproject = (shop / "pyproject.toml").read_text()
    assert 'testpaths = ["tests/unit", "tests/integration"]' in pyproject
    assert 'pythonpath = ["."]' in pyproject
    run_undo(shop, result.stdout)
    assert tree(shop) == before


def test_files_of_ones_own_are_changed_by_a_patch_alone(
    shop: Path, adopt: Adopt
) -> None:
    crlf = b"stages:\r\n  - build\r\n\r\ninclude:\r\n  - local: other.yml\r\n"
    (shop / ".gitlab-ci.yml").write_bytes(crlf)
    write(
        shop,
        {
            "tests/integration/conftest.py": '''
                """Mine."""

                from __future__ import annotations

                import pytest
            ''',
            ".gitignore": "support/\n",
        },
    )
    commit(shop, "more")
    before = tree(shop)
    call = ("--yes", "--json", "-d", "tests_dir=tests/integration")
    report = json.loads(adopt(shop, *call).stdout)
    assert report["answers"]["ci"] == ["gitlab"]
    assert {path: tree(shop)[path] for path in before} == before
    assert report["kept"] == [".gitlab-ci.yml", "tests/integration/conftest.py"]
    patch = "\n".join(report["patch"])
    assert "+  - local: .gitlab/integration-tests.yml" in patch
    assert "+from .support.plugin import *  # noqa: F403" in patch
    assert any("no stage `test`" in note for note in report["notes"])
    assert "tests/integration/support/plugin.py" in report["ignored"]

    git(shop, "clean", "-fdxq")
    result = adopt(shop, *call, "--patch")
    assert result.returncode == 0, result.stderr
    ours = (shop / ".gitlab-ci.yml").read_bytes()
    added = b"include:\r\n  - local: .gitlab/integration-tests.yml\r\n"
    assert ours == crlf.replace(b"include:\r\n", added)
    conftest = (shop / "tests/integration/conftest.py").read_text()
    plugin = "import annotations\n\nfrom .support.plugin import *  # noqa: F403\n"
    assert plugin in conftest
    for command in report["undo"]:
        subprocess.run(["sh", "-ec", command], cwd=shop, check=True)


def test_its_patch_is_one_that_git_applies(shop: Path, adopt: Adopt) -> None:
    (shop / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    (shop / "requirements.txt").write_text("flask\npsycopg\n")
    (shop / "pytest.ini").write_bytes(b"[pytest]\r\ntestpaths = tests/unit\r\n")
    (shop / ".gitlab-ci.yml").write_text("test:\n  script: pytest")  # no line feed
    write(
        shop,
        {
            "tests/integration/conftest.py": """
                #!/usr/bin/env python3
                # Copyright of somebody

                import pytest
            """
        },
    )
    commit(shop, "more")
    call = ("--yes", "--json", "-d", "tests_dir=tests/integration")
    report = json.loads(adopt(shop, *call, "--dry-run").stdout)
    patch = "".join(f"{line}\n" for line in report["patch"])
    apply = ["git", "apply", "-"]
    subprocess.run(apply, cwd=shop, input=patch.encode(), check=True)
    ini = (shop / "pytest.ini").read_bytes()
    assert b"testpaths = tests/unit tests/integration\r\n" in ini
    conftest = (shop / "tests/integration/conftest.py").read_text().splitlines()
    assert conftest[1:3] == ["# Copyright of somebody", ""]
    assert conftest[3].startswith("from .support.plugin import *")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.toml", '[pytest]\ntestpaths = ["tests/unit"]\n'),
        ("pyproject.toml", '[tool.pytest]\ntestpaths = ["tests/unit"]\n'),
    ],
)
def test_settings_of_pytest_are_not_hidden_by_another_file(
    shop: Path, adopt: Adopt, file: str, text: str
) -> None:
    (shop / "pyproject.toml").unlink()
    (shop / file).write_text(text)
    (shop / "requirements.txt").write_text("flask\npsycopg\n")
    commit(shop, "more")
    report = json.loads(adopt(shop, "--yes", "--json", "--patch").stdout)
    assert not (shop / "pytest.ini").exists()
    assert any(f"`testpaths` in {file}" in note for note in report["notes"])


def test_nothing_is_written_into_a_submodule(
    shop: Path, adopt: Adopt, tmp_path: Path
) -> None:
    other = Case("other", {"test_a.py": ""}, {}).make(tmp_path / "other")
    git(shop, "rm", "-rq", "tests")
    git(
        shop,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        str(other),
        "tests",
    )
    commit(shop, "more")
    before = tree(shop)
    assert "tests is a submodule" in refused(adopt(shop, "--yes"))
    assert tree(shop) == before


def test_a_path_that_the_template_refuses_is_not_told(shop: Path, adopt: Adopt) -> None:
    long = "a_package_of_the_shop_with_a_long_name/another_one_within_it"
    (shop / long).mkdir(parents=True)
    for folder in (long.split("/")[0], long):
        (shop / folder / "__init__.py").touch()
    git(shop, "mv", "shop/main.py", f"{long}/main.py")
    commit(shop, "moved")
    report = json.loads(adopt(shop, "--yes", "--json", "--dry-run").stdout)
    assert not report["facts"]["app"]["found"]
    assert report["facts"]["app"]["why"] == "it is longer than 60 characters"


def test_a_half_merged_pyproject_is_refused(shop: Path, adopt: Adopt) -> None:
    with (shop / "pyproject.toml").open("a") as file:
        file.write("<<<<<<< ours\n")
    assert "pyproject.toml is not TOML" in refused(adopt(shop, "--yes"))


def test_a_file_that_is_there_is_merged_and_nothing_of_it_lost(
    shop: Path, adopt: Adopt
) -> None:
    compose = shop / "docker-compose.test.yml"
    compose.write_text("services:\n  mine:\n    image: mine\n")
    before = tree(shop)
    assert "docker-compose.test.yml has changes" in refused(adopt(shop, "--yes"))
    assert tree(shop) == before

    commit(shop, "mine")
    assert adopt(shop, "--yes", "--dry-run").returncode == 3
    assert tree(shop) == before
    result = adopt(shop, "--yes")
    assert result.returncode == 3
    assert "conflict  docker-compose.test.yml" in result.stdout
    text = compose.read_text()
    assert "<<<<<<< yours-on-adoption\n" in text
    assert "    image: mine\n" in text
    assert ">>>>>>> testbed-" in text
    assert "postgres" in text
    run_undo(shop, result.stdout)
    assert tree(shop) == before


def test_the_answers_are_those_that_an_update_reads(
    shop: Path, adopt: Adopt, tmp_path: Path
) -> None:
    template = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(ROOT), str(template))
    git(template, "tag", "v9.0.0")
    other = "_commit: v1\n_src_path: gh:other/template\n"
    (shop / ".copier-answers.yml").write_text(other)
    result = adopt(shop, "--yes", "--template", "../template", "--to", "v9.0.0")
    assert result.returncode == 0, result.stderr
    assert (shop / ".copier-answers.yml").read_text() == other
    file = ".copier-answers.testbed.yml"
    recorded = (shop / file).read_text()
    assert "_commit: v9.0.0\n" in recorded
    assert f"_src_path: {template}\n" in recorded
    assert "app: shop.main:app\n" in recorded
    code = "from testbed.cli import run; run()"
    check = [sys.executable, "-c", code, "check", "--answers-file", file]
    checked = subprocess.run(check, cwd=shop, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "Up to date: v9.0.0\n")
    assert "`testbed update` changes it" in refused(adopt(shop, "--yes"))


def test_what_is_needed_and_unknown_is_refused_with_what_answers_it(
    shop: Path, adopt: Adopt
) -> None:
    (shop / "shop" / "api.py").write_text("import fastapi\n\napi = fastapi.FastAPI()\n")
    before = tree(shop)
    line = refused(adopt(shop, "--yes"))
    assert "more than one is there (flask, fastapi)" in line
    assert "-d framework=fastapi or -d framework=flask" in line
    answered = adopt(shop, "--dry-run", "-d", "framework=flask", "--json")
    facts = json.loads(answered.stdout)["facts"]
    assert facts["app"]["value"] == "shop.main:app"
    assert tree(shop) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no terminal to ask on for models, ci, installer: add --yes"),
        (["--yes", "-d", "colour=red"], '"colour" is no question'),
        (["--yes", "-d", "database=access"], "database"),
        (["--yes", "-d", "starter=true"], "starter is for `testbed new`"),
        (["--yes", "--to", "v0.0.0"], "has no version v0.0.0"),
        (["--yes", "--template", "/nowhere"], "cannot fetch the template"),
    ],
)
def test_a_call_that_cannot_be_right_writes_nothing(
    shop: Path, adopt: Adopt, arguments: list[str], reason: str
) -> None:
    before = tree(shop)
    assert reason in refused(adopt(shop, *arguments))
    assert tree(shop) == before


def test_a_place_that_cannot_be_written_is_refused(
    shop: Path, adopt: Adopt, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    assert "is in no git repository" in refused(adopt(tmp_path / "plain", "--yes"))
    (shop / "elsewhere").write_text("")
    inside = ("-d", "tests_dir=elsewhere/bed")
    assert "is a file, where" in refused(adopt(shop, "--yes", *inside))
    (shop / "linked").symlink_to(tmp_path / "plain")
    behind = ("-d", "tests_dir=linked/bed")
    assert "is a symbolic link" in refused(adopt(shop, "--yes", *behind))
    assert not any((tmp_path / "plain").iterdir())


def test_that_a_factory_needs_arguments_is_told(shop: Path, adopt: Adopt) -> None:
    (shop / "shop" / "main.py").write_text(
        "from flask import Flask\n\n\n"
        "def create_app(config: str) -> Flask:\n    return Flask(config)\n"
    )
    result = adopt(shop, "--dry-run", "--yes")
    assert "shop.main:create_app" in result.stdout
    assert "it needs arguments: give them in wiring.py" in result.stdout


def test_no_code_of_the_repository_runs(shop: Path, adopt: Adopt) -> None:
    touch = "from pathlib import Path\n\nPath(__file__).with_suffix('.ran').touch()\n"
    for name in ("setup.py", "conftest.py", "sitecustomize.py", "shop/__init__.py"):
        (shop / name).write_text(touch)
    (shop / "testbed.py").write_text(touch)
    hook = shop / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\ntouch hook.ran\n")
    hook.chmod(0o755)
    assert adopt(shop, "--dry-run").returncode == 0
    assert not list(shop.rglob("*.ran"))


def test_on_a_terminal_only_what_is_unknown_is_asked(shop: Path, shared: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", "from testbed.cli import run; run()", "adopt"],
        cwd=shop,
        env={**os.environ, "XDG_CACHE_HOME": str(shared / "cache"), "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    printed = ""

    def read_until(text: str) -> None:
        nonlocal printed
        while text not in printed:
            readable, _, _ = select.select([ours], [], [], 60)
            assert readable, printed
            try:
                printed += os.read(ours, 4096).decode(errors="replace")
            except OSError:  # it has ended
                break
        assert text in printed, printed

    read_until("models: Where are the models")
    os.write(ours, b"\n")
    read_until("ci: several with commas")
    os.write(ours, b"travis\n")
    read_until("ci is of github, gitlab")
    os.write(ours, b"github\n")
    read_until("installer: How does CI install")
    os.write(ours, b"requirements\n")
    read_until("To take all of it back")
    assert process.wait(60) == 0
    os.close(ours)
    asked = [name for name in ("framework:", "database:", "cache:") if name in printed]
    assert not asked
    assert (shop / ".github" / "workflows" / "integration-tests.yml").exists()
    assert "installer: requirements" in (shop / ".copier-answers.yml").read_text()
