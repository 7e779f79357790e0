"""A version of the template, rendered with answers: by Copier, as users render it."""

from __future__ import annotations

import stat
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import NoneType
from typing import Any
from unittest.mock import patch

import copier
import plumbum
import yaml
from copier.errors import CopierError
from jinja2 import Environment, FileSystemBytecodeCache

from .errors import UserError, one_line
from .files import File, read_file
from .history import Version


@dataclass(frozen=True)
class Rendering:
    """What a version renders: `files` by path, of which some are `managed`.

    `answers` are those that it recorded, without what Copier adds.
    """

    files: dict[PurePosixPath, File]
    managed: frozenset[PurePosixPath]
    answers: dict[str, Any]


def render(
    version: Version,
    recorded: Mapping[str, Any],
    given: Mapping[str, Any],
    answers_file: PurePosixPath,
) -> Rendering:
    """Render a version, with answers as an update has them, and defaults for the rest.

    `recorded` are of the repository: Copier drops those that the version cannot have.
    `given` are the user's, now. Raises UserError when one is refused, or missing.
    """
    with tempfile.TemporaryDirectory(prefix="testbed-") as temporary:
        folder = Path(temporary).resolve() / "repository"
        folder.mkdir()
        what = f"{version.source} at {version.name}"
        with _as_user_errors(what), quick_copier(version.folder.parent / "compiled"):
            text = yaml.safe_dump(dict(recorded), allow_unicode=True)
            (folder / answers_file).write_text(text, encoding="utf-8")
            worker = copier.run_copy(
                str(version.folder),
                folder,
                data=dict(given),
                answers_file=str(answers_file),
                defaults=True,
                overwrite=True,
                quiet=True,
            )
        paths = (p for p in folder.rglob("*") if not stat.S_ISDIR(p.lstat().st_mode))
        files = {
            PurePosixPath(path.relative_to(folder).as_posix()): read_file(path)
            for path in sorted(paths)
        }
    managed = {path for path in files if not worker.match_skip(Path(path))}
    answers = yaml.safe_load(files[answers_file].content)
    del answers["_src_path"]
    files[answers_file] = _name_version(files[answers_file], version)
    return Rendering(files, frozenset(managed), answers)


_load = yaml.safe_load
_load_text = lru_cache(maxsize=1000)(yaml.safe_load)
_compile: Any = Environment.compile  # overloaded, which mypy does not follow


@contextmanager
def quick_copier(cache: Path) -> Iterator[None]:
    """Copier renders the same in a third of the time: a template without git only.

    It starts git for every file, for the index of a repository that is not there, and
    compiles every template and reads the same YAML again and again. In here it finds no
    git, and what is compiled in the folder `cache`. For one thread at a time.
    """
    cache.mkdir(parents=True, exist_ok=True)
    bytecode = FileSystemBytecodeCache(str(cache))

    def compile(
        self: Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        if raw or defer_init or not isinstance(source, str):
            return _compile(self, source, name, filename, raw, defer_init)
        simple = (str, bool, int, NoneType)
        settings = [s for s in vars(self).items() if isinstance(s[1], simple)]
        depends = (copier.__version__, type(self), settings, sorted(self.extensions))
        bucket = bytecode.get_bucket(self, repr((name, source, depends)), None, source)
        if bucket.code:
            # Copier's extension resets there what the last template has left in it.
            self.preprocess(source, name)
        else:
            bucket.code = _compile(self, source, name, filename)
            bytecode.set_bucket(bucket)
        return bucket.code

    def load(stream: Any) -> Any:
        # Not libyaml, which is quicker: it reads `!` and some tabs in another way.
        if isinstance(stream, str):
            return deepcopy(_load_text(stream))
        return _load(stream)

    with (
        plumbum.local.env(PATH=""),
        patch.object(Environment, "compile", compile),
        patch.object(yaml, "safe_load", load),
    ):
        yield


def _name_version(answers_file: File, version: Version) -> File:
    """Name source and version, where a folder of this machine is named alone."""
    lines = answers_file.content.decode().splitlines(keepends=True)
    found = [n for n, line in enumerate(lines) if line.startswith("_src_path:")]
    if not found:
        raise UserError(
            f"{version.source} at {version.name} writes answers files without a line"
            " for `_src_path`: use `to_nice_yaml` there"
        )
    names = {"_commit": version.name, "_src_path": version.source}
    start, end = found[0], found[0] + 1
    while end < len(lines) and lines[end].startswith(" "):  # a long path is folded
        end += 1
    lines[start:end] = [yaml.safe_dump(names, allow_unicode=True)]
    for number, line in enumerate(lines):
        if line.startswith("_commit_hash:"):
            lines[number] = f"_commit_hash: {version.commit}\n"
    return File(answers_file.mode, "".join(lines).encode())


@contextmanager
def _as_user_errors(what: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (CopierError, ValueError, TypeError) as error:
        raise UserError(one_line(error)) from error
    except OSError as error:
        raise UserError(f"cannot render {what}: {error}") from error
