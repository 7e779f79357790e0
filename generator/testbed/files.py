"""Files as git sees them: a mode and a content, by path."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import UserError

REGULAR, EXECUTABLE, LINK = "100644", "100755", "120000"


@dataclass(frozen=True)
class File:
    """A file; of a symbolic link, the content is what it leads to."""

    mode: str
    content: bytes


Files = Mapping[PurePosixPath, File]


def read_file(path: Path) -> File:
    """Read a file or a link. Raises OSError."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return File(LINK, os.fsencode(os.readlink(path)))
    executable = mode & stat.S_IXUSR and os.name != "nt"
    return File(EXECUTABLE if executable else REGULAR, path.read_bytes())


def read_files(root: Path, paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, File]:
    """Those of the files that there are. Raises UserError for what is no file."""
    found = {}
    for path in paths:
        _refuse_linked_folder(root, path)
        try:
            found[path] = read_file(root / path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except IsADirectoryError:
            raise UserError(
                f"{root / path} is a folder, where the template has a file: rename it"
            ) from None
    return found


def write_files(root: Path, old: Files, new: Files) -> None:
    """Make `old` files, which are there, the `new` ones; empty folders go."""
    for path in old.keys() - new.keys():
        (root / path).unlink()
        for folder in path.parents:
            if folder == PurePosixPath(".") or any((root / folder).iterdir()):
                break
            (root / folder).rmdir()
    # After what is gone: on some file systems, names differ in more than case alone.
    for path, file in new.items():
        if old.get(path) != file:
            _write(root / path, file)


def _write(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside it, then in its place: nobody finds half a file.
    temporary = path.with_name(f".{path.name}.testbed")
    if file.mode == LINK:
        temporary.symlink_to(os.fsdecode(file.content))
    else:
        temporary.write_bytes(file.content)
        mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() else 0o644
        temporary.chmod(mode | 0o111 if file.mode == EXECUTABLE else mode & ~0o111)
    os.replace(temporary, path)


def _refuse_linked_folder(root: Path, path: PurePosixPath) -> None:
    """What is behind it may be no part of the repository."""
    for folder in path.parents[:-1]:
        if (root / folder).is_symlink():
            raise UserError(
                f"{root / folder} is a symbolic link, where the template has a folder:"
                " make it a folder"
            )
