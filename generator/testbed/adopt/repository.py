"""The texts of a repository: read, and never run."""

from __future__ import annotations

import ast
import codecs
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from ..errors import UserError
from ..git import GitError, git
from .facts import Evidence

# Above this, a file is data, or was made by a program.
_MAX_BYTES = 4_000_000

_READ = re.compile(
    r"(^|/)(Pipfile|Dockerfile[^/]*|Procfile|Makefile|\.flaskenv|\.python-version"
    r"|runtime\.txt|\.env[.-](example|sample|template|dist)|(example|sample)\.env"
    r"|[^/]+\.(py|toml|cfg|ini|txt|in|lock|ya?ml|sh))$"
)

# What is no part of the application: its settings and objects are others.
_ELSEWHERE = re.compile(
    r"(^|/)(tests?|e2e|node_modules|site-packages|\.?venv|_?vendor(ed)?|third_party"
    r"|lib/python[\d.]+)/|(^|/)(tests?|conftest)\.py$|^noxfile\.py$"
)
# So is a file of tests, though a model may be called like one.
_TESTS = re.compile(r"(^|/)(test_[^/]*|[^/]*_tests?)\.py$")
_TESTS_IN_IT = re.compile(r"\bdef test_|\b(pytest|unittest|django\.test)\b")
# Folders that are no part of it either, unless they are packages within a package.
_BESIDE = re.compile(r"(docs?|examples?|samples?|benchmarks?|testing|fixtures)")
# Nor are these, unless they are packages.
_TOOLS = re.compile(r"(scripts?|tools?|mocks?|demos?)")


_IMPORTED = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """A module of the application.

    `name` is what `import` calls it, empty where that is not certain. `imports` maps
    names in it to the full names of what they stand for; those in `imported` are
    imported when it is.
    """

    path: str
    name: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)

    def at(self, node: ast.AST, words: str) -> Evidence:
        return Evidence(self.path, getattr(node, "lineno", 0), words)

    def resolve(self, node: ast.AST | None) -> str:
        """The full name of what a name or an attribute stands for."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, f"{self.name or self.path}.{node.id}")
        if isinstance(node, ast.Attribute):
            return f"{self.resolve(node.value)}.{node.attr}"
        return ""


class Repository:
    """The texts of a folder, by path; `paths` are of all files that it has."""

    def __init__(
        self,
        texts: Mapping[str, str],
        *,
        paths: frozenset[str] = frozenset(),
        folder_name: str = "",
        is_root: bool = True,
    ) -> None:
        self.texts = dict(sorted(texts.items()))
        self.paths = paths | self.texts.keys()
        self.folder_name = folder_name
        self.is_root = is_root

    def find(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Path and text of the application's files whose whole path matches."""
        for path, text in self.texts.items():
            if re.fullmatch(pattern, path) and not self._is_elsewhere(path):
                yield path, text

    def _is_elsewhere(self, path: str) -> bool:
        """Whether a file belongs to something beside the application."""
        if _ELSEWHERE.search(path):
            return True
        if _TESTS.search(path) and _TESTS_IN_IT.search(self.texts[path]):
            return True
        folders = path.split("/")[:-1]
        for depth, folder in enumerate(folders):
            above, own = "/".join(folders[:depth]), "/".join(folders[: depth + 1])
            if _BESIDE.fullmatch(folder) and not (
                self._is_package(above) and self._is_package(own)
            ):
                return True
        return False

    def _is_tool(self, path: str) -> bool:
        """Whether a module is run by hand, now and then."""
        folders = path.split("/")[:-1]
        return any(
            _TOOLS.fullmatch(folder)
            and not self._is_package("/".join(folders[: depth + 1]))
            for depth, folder in enumerate(folders)
        )

    def _is_package(self, folder: str) -> bool:
        return f"{folder}/__init__.py" in self.paths

    def matches(self, files: str, pattern: str) -> Iterator[tuple[re.Match[str], str]]:
        """Where a pattern is in a line of such files, and the path; no comments."""
        for path, text in self.find(files):
            for match in re.finditer(pattern, text, re.MULTILINE):
                start = text.rfind("\n", 0, match.start()) + 1
                if re.match(r"\s*(#|//|;)", text[start:]):
                    continue
                if not re.search(r"\s#", text[start : match.start()]):
                    yield match, path

    def at(self, path: str, needle: str | int, words: str = "") -> Evidence:
        """The first line that has these letters, or the line of that offset."""
        text = self.texts[path]
        offset = text.find(needle) if isinstance(needle, str) else needle
        line = text.count("\n", 0, offset) + 1 if offset >= 0 else 1
        return Evidence(path, line, words or str(needle))

    def has_folder(self, folder: str) -> bool:
        return any(path.startswith(f"{folder}/") for path in self.paths)

    @cached_property
    def modules(self) -> list[Module]:
        """The application's modules that can be parsed."""
        modules = []
        for path, text in self.texts.items():
            if not path.endswith(".py") or path == "setup.py":
                continue
            if self._is_elsewhere(path) or self._is_tool(path):
                continue
            if (tree := parse(text)) is not None:
                module = Module(path, self._module_name(path), tree)
                module.imports.update(_imports(module, ast.walk(tree)))
                at_once = _imports(module, top_level(tree.body))
                module.imported.update(full for _, full in at_once)
                modules.append(module)
        return modules

    @cached_property
    def by_name(self) -> dict[str, Module]:
        return {module.name: module for module in self.modules if module.name}

    def canonical(self, name: str) -> str:
        """Where a thing is defined, when modules of the repository hand it on."""
        for _ in range(10):
            module, _, attribute = name.rpartition(".")
            owner = self.by_name.get(module)
            if owner is None or attribute not in owner.imports:
                break
            name = owner.imports[attribute]
        return name

    @cached_property
    def roots(self) -> set[str]:
        """The folders that `import` starts in."""
        roots = {""}
        source = re.compile(r"^\s*(from|import) src\b", re.MULTILINE)
        python = [text for path, text in self.texts.items() if path.endswith(".py")]
        if "src/__init__.py" not in self.paths and not any(map(source.search, python)):
            roots.add("src")
        return roots

    @cached_property
    def _started_in(self) -> set[str]:
        """Folders, no packages, whose modules import each other as if at the top."""
        started = set()
        for path, text in self.texts.items():
            folder = str(PurePosixPath(path).parent)
            if not path.endswith(".py") or folder in ("", ".", *self.roots):
                continue
            if self._is_package(folder):
                continue
            for name in _IMPORTED.findall(text):
                if f"{folder}/{name}.py" in self.paths and not (
                    {f"{name}.py", f"{name}/__init__.py"} & self.paths
                ):
                    started.add(folder)
        return started

    def _module_name(self, path: str) -> str:
        parts = list(PurePosixPath(path).with_suffix("").parts)
        root = max(
            (r for r in self.roots if not r or path.startswith(f"{r}/")), key=len
        )
        if root:
            parts = parts[1:]
        folders = parts[:-1]
        if str(PurePosixPath(path).parent) in self._started_in:
            return ""
        # A folder below another that is no package may be a project of its own.
        for depth in range(len(folders)):
            package = "/".join(filter(None, [root, *folders[: depth + 1]]))
            if f"{package}/__init__.py" not in self.paths and depth < len(folders) - 1:
                return ""
        if parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def parse(text: str) -> ast.Module | None:
    """The syntax tree, without what this Python does not understand."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported."""
    for statement in body:
        if isinstance(statement, ast.If):
            test = ast.dump(statement.test)
            if "__main__" not in test and "TYPE_CHECKING" not in test:
                yield from top_level(statement.body)
            yield from top_level(statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from top_level(statement.body)
        else:
            yield statement


def _imports(module: Module, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    is_package = module.path.endswith("__init__.py")
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    alias.asname or alias.name.split(".")[0],
                    (alias.name if alias.asname else alias.name.split(".")[0]),
                )
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                package = module.name.split(".")
                up = node.level - is_package
                package = package[: len(package) - up] if up else package
                origin = ".".join(filter(None, [*package, origin]))
            for alias in node.names:
                yield alias.asname or alias.name, f"{origin}.{alias.name}"


def read_repository(root: Path) -> Repository:
    """Read what git sees in a folder: no virtual environments, no secrets in `.env`.

    Raises UserError where there is no git repository.
    """
    try:
        prefix = git("rev-parse", "--show-prefix", cwd=root).decode().strip()
        ask = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        listed = git(*ask, cwd=root).split(b"\0")
    except (GitError, OSError) as error:
        raise UserError(
            f"{root} is in no git repository, which would show what changes, and undo"
            f" it: {error}"
        ) from error
    paths = frozenset(os.fsdecode(path) for path in listed if path)
    texts = {}
    for path in filter(_READ.search, paths):
        file = root / path
        if file.is_symlink() or not file.is_file() or not os.access(file, os.R_OK):
            continue
        if file.stat().st_size <= _MAX_BYTES:
            content = file.read_bytes()
            # PowerShell writes it where it redirects.
            is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            encoding = "utf-16" if is_utf_16 else "utf-8-sig"
            text = content.decode(encoding, errors="replace")
            texts[path] = text.replace("\r\n", "\n")
    return Repository(
        texts, paths=paths, folder_name=root.resolve().name, is_root=not prefix
    )
