"""The few lines that belong into files of the user's own: proposed, not written."""

from __future__ import annotations

import ast
import configparser
import difflib
import fnmatch
import itertools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ..files import LINK, REGULAR, File
from ..project import Project
from .code import pytest_settings
from .dependencies import read_toml, table
from .repository import Repository, parse

_INCLUDED = ".gitlab/integration-tests.yml"
_PLUGIN = "from .support.plugin import *"


@dataclass
class Proposals:
    """Changes of user's own files; `notes` say in words what needs a look instead."""

    before: dict[PurePosixPath, File] = field(default_factory=dict)
    after: dict[PurePosixPath, File] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def diff(self) -> Iterator[str]:
        """A patch that `git apply` takes."""
        for path, file in self.after.items():
            old = self.before.get(path)
            for line in difflib.unified_diff(
                _lines(old) if old else [],
                _lines(file),
                f"a/{path}" if old else "/dev/null",
                f"b/{path}",
            ):
                yield line.removesuffix("\n")
                if not line.endswith("\n"):
                    yield "\\ No newline at end of file"


def _lines(file: File) -> list[str]:
    """The lines as git sees them, each with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", file.content.decode())


def propose(
    repository: Repository, project: Project, answers: Mapping[str, Any]
) -> Proposals:
    """What the bed needs in files that are the user's, and finds not there."""
    proposals = Proposals()

    def change(path: str, edit: Callable[[str], str | None], why: str) -> None:
        """Edit a file; where that cannot be done in good faith, say `why`."""
        name = PurePosixPath(path)
        old = proposals.after.get(name) or project.read([name]).get(name)
        text = old.content.decode(errors="replace") if old else ""
        is_windows = "\r\n" in text
        new = None if old and old.mode == LINK else edit(text.replace("\r\n", "\n"))
        if new is None or "\ufffd" in text:
            proposals.notes.append(why)
            return
        if old:
            proposals.before.setdefault(name, old)
        new = new.replace("\n", "\r\n") if is_windows else new
        proposals.after[name] = File(old.mode if old else REGULAR, new.encode())

    tests_dir = str(answers["tests_dir"])
    _propose_gitlab(repository, answers, change, proposals.notes)
    conftest = f"{tests_dir}/conftest.py"
    if (
        conftest in repository.texts
        and "support.plugin" not in (repository.texts[conftest])
    ):
        change(conftest, _with_plugin, f"{conftest} needs the line `{_PLUGIN}`")
    _propose_pytest(repository, answers, change, proposals.notes)
    return proposals


Change = Callable[[str, Callable[[str], str | None], str], None]


def _propose_gitlab(
    repository: Repository, answers: Mapping[str, Any], change: Change, notes: list[str]
) -> None:
    text = repository.texts.get(".gitlab-ci.yml")
    if text is None or "gitlab" not in (answers.get("ci") or []):
        return
    if _INCLUDED not in text:
        why = f".gitlab-ci.yml has to include `local: {_INCLUDED}`"
        change(".gitlab-ci.yml", _with_include, why)
    stages = re.search(r"^stages:(.*\n(?:\s*-.*\n|\s*\n)*)", text + "\n", re.MULTILINE)
    if stages and not re.search(r"(?<![\w-])test(?![\w-])", stages[1]):
        notes.append(
            ".gitlab-ci.yml has no stage `test`, which the job integration-tests is in:"
            " add it, or give the job another `stage:` there"
        )


def _with_include(text: str) -> str | None:
    line = f"- local: {_INCLUDED}\n"
    if not re.search(r"^[\"']?include[\"']?\s*:", text, re.MULTILINE):
        return text.rstrip("\n") + f"\n\ninclude:\n  {line}"
    if items := re.search(r"^include:[ ]*\n([ ]*)(?=- )", text, re.MULTILINE):
        return text[: items.end()] + line + items[1] + text[items.end() :]
    return None


def _with_plugin(text: str) -> str | None:
    """After the docstring and what must come first."""
    tree = parse(text)
    if tree is None:
        return None
    first = tree.body[0].lineno - 1 if tree.body else 0
    # Without a docstring: after a line for the shell, and a licence.
    above_all = itertools.takewhile(
        lambda line: line.startswith("#"), text.splitlines()[:first]
    )
    last = len(list(above_all))
    for number, node in enumerate(tree.body):
        is_docstring = number == 0 and isinstance(node, ast.Expr)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if is_docstring or is_future:
            last = node.end_lineno or 0
    lines = text.splitlines(keepends=True)
    above = "\n" if last else ""
    lines.insert(last, f"{above}{_PLUGIN}  # noqa: F403\n")
    return "".join(lines)


def _propose_pytest(
    repository: Repository, answers: Mapping[str, Any], change: Change, notes: list[str]
) -> None:
    tests_dir = str(answers["tests_dir"])
    path, options = pytest_settings(repository)
    testpaths = _words(options.get("testpaths"))
    if testpaths and not any(_holds(each, tests_dir) for each in testpaths):
        why = f"`testpaths` in {path} leaves out {tests_dir}: add it"
        change(path, lambda text: _with_testpath(path, text, tests_dir), why)
    files = _words(options.get("python_files"))
    if files and not any(fnmatch.fnmatch("test_isolation.py", each) for each in files):
        notes.append(
            f"`python_files` in {path} leaves out test_*.py: pytest would collect none"
            " of the bed's tests"
        )
    if not _is_importable(repository, answers, options):
        if "pythonpath" in options:
            notes.append(f"`pythonpath` in {path} leaves out the root: add `.` to it")
        else:
            why = "pytest has to find your application: set its option `pythonpath`"
            change(path or "pytest.ini", lambda text: _with_pythonpath(path, text), why)


def _words(option: Any) -> list[str]:
    if isinstance(option, list):
        return [str(each) for each in option]
    return str(option or "").split()


def _holds(testpath: str, tests_dir: str) -> bool:
    testpath = testpath.removeprefix("./").rstrip("/")
    folders = [tests_dir, *map(str, PurePosixPath(tests_dir).parents)]
    return any(fnmatch.fnmatch(folder, testpath) for folder in folders)


def _with_testpath(path: str, text: str, tests_dir: str) -> str | None:
    if path.endswith(".toml"):
        pattern = r"(^testpaths\s*=\s*\[[^\]#]*?)(,?\s*)\]"
        new = re.sub(
            pattern, rf'\1, "{tests_dir}"\2]', text, count=1, flags=re.MULTILINE
        ).replace(f'"{tests_dir}",\n', f'"{tests_dir}",\n')
        read: Callable[[str], Any] = lambda t: table(  # noqa: E731
            tomllib.loads(t), "tool", "pytest", "ini_options"
        )
    else:
        pattern = r"(^testpaths[ ]*=[ ]*\S.*)$(?!\n[ \t]+\S)"
        new = re.sub(pattern, rf"\1 {tests_dir}", text, count=1, flags=re.MULTILINE)
        read = _ini_options
    try:
        is_added = tests_dir in _words(read(new).get("testpaths"))
    except (tomllib.TOMLDecodeError, configparser.Error):
        return None
    return new if is_added else None


def _ini_options(text: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    section = "tool:pytest" if parser.has_section("tool:pytest") else "pytest"
    return dict(parser.items(section))


def _is_importable(
    repository: Repository, answers: Mapping[str, Any], options: Mapping[str, object]
) -> bool:
    """Whether tests find the application; where it is not certain, they do."""
    app = str(answers.get("app") or "")
    # pytest-django finds manage.py, and what is in src is installed.
    module = repository.by_name.get(app.partition(":")[0])
    if module is None or module.path.startswith("src/"):
        return True
    data = read_toml(repository, "pyproject.toml")
    if "build-system" in data or "setup.py" in repository.paths:
        return True
    if "project" in data and answers.get("installer") == "pip":
        return True
    if "." in _words(options.get("pythonpath")):
        return True
    # pytest imports from the folder of these.
    top = str(answers["tests_dir"]).split("/")[0]
    return bool({"conftest.py", f"{top}/__init__.py"} & repository.paths)


def _with_pythonpath(path: str, text: str) -> str | None:
    if not path:
        return text + "[pytest]\npythonpath = .\n" if not text else None
    if path.endswith(".toml"):
        header, line = r"^\[tool\.pytest\.ini_options\][ ]*\n", 'pythonpath = ["."]\n'
    else:
        header, line = r"^\[(tool:)?pytest\][ ]*\n", "pythonpath = .\n"
    found = re.search(header, text, re.MULTILINE)
    return text[: found.end()] + line + text[found.end() :] if found else None
