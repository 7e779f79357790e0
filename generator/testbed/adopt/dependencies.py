"""What a repository depends on, from whatever file says so."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..errors import UserError
from .facts import Evidence
from .repository import Repository, parse

# Groups and files of what the application itself does without.
_FOR_DEVELOPERS = re.compile(
    r"(^|[-_./])(dev\w*|tests?|testing|lint\w*|docs?|documentation|typ(es|ed|ing)"
    r"|integration|checks?|style|format(t\w+)?|debug|local|bench\w*|notebooks?|builds?"
    r"|release|ci|qa|e2e|examples?)($|[-_./\d])"
)


@dataclass(frozen=True)
class Dependency:
    """A package by its normal name, what it is wanted with, and who says so.

    One that `is_indirect` stands beside others in a list that a tool may have made.
    """

    name: str
    extras: frozenset[str]
    evidence: Evidence
    is_indirect: bool = False


def read_toml(repository: Repository, path: str) -> dict[str, Any]:
    """What a TOML file holds; nothing, where it is not there or not TOML."""
    try:
        return tomllib.loads(repository.texts.get(path, ""))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def refuse_broken_pyproject(repository: Repository) -> None:
    """Raise UserError where it tells nothing, as after a merge that is not done."""
    try:
        tomllib.loads(repository.texts.get("pyproject.toml", ""))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"pyproject.toml is not TOML: {error}") from error


def read_ini(repository: Repository, path: str) -> configparser.ConfigParser:
    """What an INI file holds; nothing, where it is not there or not INI."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(repository.texts.get(path, ""))
    except configparser.Error:
        return configparser.ConfigParser(interpolation=None)
    return parser


def table(data: Any, *keys: str) -> dict[str, Any]:
    """The table below these keys; an empty one, where something else is there."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def dependencies(repository: Repository) -> list[Dependency]:
    """The dependencies of the application, without those of its developers.

    Lock files are asked only where nothing else tells.
    """
    declared = [
        *_of_pyproject(repository),
        *_of_pipfile(repository),
        *_of_setup_cfg(repository),
        *_of_setup_py(repository),
    ]
    # Beside such a file, a list of requirements is often what a tool wrote.
    declared += _of_requirements(repository, is_indirect=bool(declared))
    return declared or list(_of_locks(repository))


def _parsed(
    repository: Repository, path: str, text: str, *, is_indirect: bool = False
) -> Iterator[Dependency]:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return
    yield Dependency(
        canonicalize_name(requirement.name),
        frozenset(requirement.extras),
        repository.at(path, text, requirement.name),
        is_indirect,
    )


def _of_pyproject(repository: Repository) -> Iterator[Dependency]:
    path = "pyproject.toml"
    data = read_toml(repository, path)
    if not data:
        return
    project = table(data, "project")
    groups = {
        **table(project, "optional-dependencies"),
        **table(data, "dependency-groups"),
    }
    lists = [project.get("dependencies")]
    lists += [g for name, g in groups.items() if not _FOR_DEVELOPERS.search(name)]
    for each in lists:
        for text in each if isinstance(each, list) else []:
            if isinstance(text, str):
                yield from _parsed(repository, path, text)
    poetry = table(data, "tool", "poetry")
    tables = [table(poetry, "dependencies")]
    for name, group in table(poetry, "group").items():
        if not _FOR_DEVELOPERS.search(name):
            tables.append(table(group, "dependencies"))
    for each in tables:
        yield from _of_table(repository, path, each)


def _of_table(
    repository: Repository, path: str, packages: dict[str, Any]
) -> Iterator[Dependency]:
    """Dependencies as Poetry and Pipenv write them: names, with versions or tables."""
    text = repository.texts[path]
    for name, wanted in packages.items():
        if name == "python":
            continue
        extras = wanted.get("extras") if isinstance(wanted, dict) else None
        extras = extras if isinstance(extras, list) else []
        place = re.search(rf'^"?{re.escape(name)}"?\s*=', text, re.MULTILINE)
        yield Dependency(
            canonicalize_name(name),
            frozenset(map(str, extras)),
            repository.at(path, place.start() if place else 0, name),
        )


def _of_pipfile(repository: Repository) -> Iterator[Dependency]:
    if "Pipfile" in repository.texts:
        packages = table(read_toml(repository, "Pipfile"), "packages")
        yield from _of_table(repository, "Pipfile", packages)


def _of_setup_cfg(repository: Repository) -> Iterator[Dependency]:
    parser = read_ini(repository, "setup.cfg")
    lists = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        for name, text in parser.items("options.extras_require"):
            if not _FOR_DEVELOPERS.search(name):
                lists.append(text)
    for line in "\n".join(lists).splitlines():
        yield from _parsed(repository, "setup.cfg", line.strip())


def setup_arguments(repository: Repository) -> dict[str, ast.expr]:
    """The arguments of `setup()` in setup.py."""
    tree = parse(repository.texts.get("setup.py", ""))
    for node in ast.walk(tree) if tree else []:
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name == "setup":
                return {each.arg: each.value for each in node.keywords if each.arg}
    return {}


def _of_setup_py(repository: Repository) -> Iterator[Dependency]:
    arguments = setup_arguments(repository)
    lists = [arguments.get("install_requires")]
    extras = arguments.get("extras_require")
    if isinstance(extras, ast.Dict):
        lists += [
            each
            for name, each in zip(extras.keys, extras.values, strict=True)
            if isinstance(name, ast.Constant)
            and not _FOR_DEVELOPERS.search(str(name.value))
        ]
    for node in [node for each in lists for node in getattr(each, "elts", [])]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _parsed(repository, "setup.py", node.value)


def _of_requirements(
    repository: Repository, *, is_indirect: bool
) -> Iterator[Dependency]:
    pattern = r"(requirements/)?[\w.-]+\.(txt|in)"
    names = [path for path, _ in repository.find(pattern)]
    read: set[str] = set()
    for path in names:
        stem = path.rpartition(".")[0]
        is_named = path.startswith("requirements") or "/requirements" in path
        # What pip-compile was told is shorter, and truer, than what it wrote.
        if path.endswith(".txt") and f"{stem}.in" in names:
            continue
        if is_named and not _FOR_DEVELOPERS.search(stem):
            yield from _of_list(repository, path, read, is_indirect)


def _of_list(
    repository: Repository, path: str, read: set[str], is_indirect: bool
) -> Iterator[Dependency]:
    if path in read or path not in repository.texts:
        return
    read.add(path)
    lines = repository.texts[path].replace("\\\n", " ").splitlines()
    for number, line in enumerate(lines):
        line = line.strip()
        if included := re.match(r"(?:-r|--requirement)[ =]*(\S+)", line):
            other = normpath(join(dirname(path), included[1]))
            if not _FOR_DEVELOPERS.search(other.rpartition(".")[0]):
                yield from _of_list(repository, other, read, is_indirect)
            continue
        text = re.split(r"\s#|\s--|^#|^-", line)[0].strip()
        # pip-compile names whoever asked, after each line.
        comments = []
        for below in [line, *lines[number + 1 :]]:
            if below is not line and not re.match(r"\s+#", below):
                break
            comments.append(below)
        via = " ".join(comments)
        asked = re.search(r"(-r |\(pyproject|\(setup)", via)
        transitive = "# via" in via and not asked
        yield from _parsed(
            repository, path, text, is_indirect=is_indirect or transitive
        )


def _of_locks(repository: Repository) -> Iterator[Dependency]:
    for path in ("uv.lock", "poetry.lock", "pdm.lock"):
        packages = read_toml(repository, path).get("package")
        for package in packages if isinstance(packages, list) else []:
            if not isinstance(package, dict):
                continue
            name = str(package.get("name", ""))
            # The project itself is in the lock of uv.
            if not isinstance(package.get("source"), dict) or not (
                {"editable", "virtual"} & package["source"].keys()
            ):
                evidence = repository.at(path, f'name = "{name}"', name)
                yield Dependency(canonicalize_name(name), frozenset(), evidence)
    if "Pipfile.lock" in repository.texts:
        try:
            data = json.loads(repository.texts["Pipfile.lock"])
        except (ValueError, RecursionError):
            return
        for name in table(data, "default"):
            evidence = repository.at("Pipfile.lock", f'"{name}"', name)
            yield Dependency(canonicalize_name(name), frozenset(), evidence)
