"""The texts of a repository: read, and never run."""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Iterator, Mapping
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
    r"|[^/]+\.(py|toml|cfg|ini|txt|in|lock|ya?ml|sh|json))$"
)

# What is no part of the application: its settings and objects are others.
_ELSEWHERE = re.compile(
    r"(^|/)(tests?|testing|docs?|examples?|samples?|benchmarks?|node_modules"
    r"|site-packages|\.?venv)/"
    r"|(^|/)(test_[^/]*|[^/]*_tests?|tests?|conftest|setup|noxfile)\.py$"
)


@dataclass(frozen=True)
class Module:
    """A module of the application.

    `name` is what `import` calls it, empty where that is not certain. `imports` maps
    names in it to the full names of what they stand for.
    """

    path: str
    name: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)

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
        """The path and text of each file whose whole path matches."""
        for path, text in self.texts.items():
            if re.fullmatch(pattern, path):
                yield path, text

    def matches(self, files: str, pattern: str) -> Iterator[tuple[re.Match[str], str]]:
        """Where a pattern is in a line of such files, and the path; no comments."""
        for path, text in self.find(files):
            for match in re.finditer(pattern, text, re.MULTILINE):
                start = text.rfind("\n", 0, match.start()) + 1
                if not re.match(r"\s*(#|//|;)", text[start:]):
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
            if not path.endswith(".py") or _ELSEWHERE.search(path):
                continue
            if (tree := parse(text)) is not None:
                module = Module(path, self._module_name(path), tree)
                module.imports.update(_imports(module))
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

    def _module_name(self, path: str) -> str:
        parts = list(PurePosixPath(path).with_suffix("").parts)
        root = max(
            (r for r in self.roots if not r or path.startswith(f"{r}/")), key=len
        )
        if root:
            parts = parts[1:]
        folders = parts[:-1]
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


def _imports(module: Module) -> Iterator[tuple[str, str]]:
    is_package = module.path.endswith("__init__.py")
    for node in ast.walk(module.tree):
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
        if file.is_symlink() or not file.is_file():
            continue
        if file.stat().st_size <= _MAX_BYTES:
            text = file.read_text(encoding="utf-8-sig", errors="replace")
            texts[path] = text.replace("\r\n", "\n")
    return Repository(
        texts, paths=paths, folder_name=root.resolve().name, is_root=not prefix
    )
