"""What the files of a repository consist of, whatever the answers in them are."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

# Indentation, and what makes a line a heading, an item or a comment.
_START = re.compile(r" *(?:(?:#+|-|>) )?")
# What answers may consist of.
_PLAIN = re.compile(r"[A-Za-z0-9 _./:-]+")


def structure(repository: Path) -> dict[str, object]:
    """The structure of every file, by its path with the names in it replaced.

    Two repositories are equal in it when the same files hold the same keys, tables,
    statements, headings and punctuation, and values of the same types.
    """
    answers = answers_of(repository)
    found: dict[str, object] = {}
    for path in sorted(repository.rglob("*")):
        if path.is_file():
            name = path.relative_to(repository).as_posix()
            if not name.startswith("tests/unit/"):
                name = _replace_start(name, f"{answers['tests_dir']}/", "TESTS/")
            name = _replace_start(name, f"src/{answers['package_name']}/", "src/NAME/")
            assert name not in found, f"{name} is there twice"
            found[name] = _file(path)
    return found


def answers_of(repository: Path) -> dict[str, Any]:
    """The answers that a repository was rendered with."""
    recorded = (repository / ".copier-answers.yml").read_text(encoding="utf-8")
    answers = yaml.safe_load(recorded)
    assert isinstance(answers, dict)
    return answers


def _file(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    if path.name == ".copier-answers.yml":
        # `versions` is a mapping, and has what it is answered. `_commit` and its
        # hash are there when the template comes from git.
        of_git = {"_commit": "", "_commit_hash": ""}
        answers = {**yaml.safe_load(text), "versions": {}, **of_git}
        return _tree(answers)
    parse = _PARSERS.get(path.suffix, lambda text: None)
    return parse(text), [_line(line) for line in text.split("\n")]


def _line(line: str) -> tuple[str, str]:
    start = _START.match(line)
    assert start is not None
    return start[0], _PLAIN.sub("x", line[start.end() :])


def _tree(value: object) -> object:
    match value:
        case dict():
            return {key: _tree(each) for key, each in value.items()}
        case list():
            return [_tree(each) for each in value]
        case _:
            return type(value).__name__


def _python(node: ast.AST) -> object:
    value = type(node.value).__name__ if isinstance(node, ast.Constant) else ""
    children = [_python(child) for child in ast.iter_child_nodes(node)]
    return type(node).__name__, value, children


_PARSERS: dict[str, Callable[[str], object]] = {
    ".py": lambda text: _python(ast.parse(text)),
    ".yml": lambda text: _tree(yaml.safe_load(text)),
    ".toml": lambda text: _tree(tomllib.loads(text)),
    ".json": lambda text: _tree(json.loads(text)),
}


def _replace_start(text: str, start: str, by: str) -> str:
    return by + text.removeprefix(start) if text.startswith(start) else text
