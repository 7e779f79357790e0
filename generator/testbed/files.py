"""Files as git sees them: a mode and a content, by path."""

from __future__ import annotations

import os
import stat
import tempfile
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
    wanted = list(paths)
    found = {}
    for path in wanted:
        _refuse_linked_folder(root, path)
        try:
            found[path] = read_file(root / path)
        except FileNotFoundError:
            continue
        except NotADirectoryError:
            file = next(f for f in path.parents if (root / f).is_file())
            if file in wanted:  # it is going to be a folder
                continue
            raise UserError(
                f"{root / file} is a file, where the template has a folder: rename it"
            ) from None
        except IsADirectoryError:
            raise UserError(
                f"{root / path} is a folder, where the template has a file: rename it"
            ) from None
    return found


def write_files(root: Path, old: Files, new: Files) -> None:
    """Make `old` files, which are there, the `new` ones; empty folders go.

    All of it, or nothing: what fails, or is interrupted, is taken back.
    """
    changed = {path: file for path, file in new.items() if old.get(path) != file}
    gone = old.keys() - new.keys()
    # In the same file system: what can fail for want of space comes first.
    with tempfile.TemporaryDirectory(dir=root, prefix=".testbed-") as temporary:
        folder = Path(temporary)
        after = _prepare(root, folder / "after", changed)
        replaced = {path: old[path] for path in old if path in gone or path in changed}
        before = _prepare(root, folder / "before", replaced)
        try:
            _remove(root, gone)
            # After what is gone: names may differ in more than case alone.
            _move(root, after)
        except BaseException:
            _remove(root, [p for p in after if os.path.lexists(root / p)])
            _move(root, before)
            raise


def _prepare(root: Path, folder: Path, files: Files) -> dict[PurePosixPath, Path]:
    """Write the files in a folder beside, with the permissions that they will have."""
    folder.mkdir()
    prepared = {}
    for number, (path, file) in enumerate(files.items()):
        prepared[path] = place = folder / str(number)
        if file.mode == LINK:
            place.symlink_to(os.fsdecode(file.content))
        else:
            place.write_bytes(file.content)
            there = root / path
            mode = stat.S_IMODE(there.stat().st_mode) if there.is_file() else 0o644
            place.chmod(mode | 0o111 if file.mode == EXECUTABLE else mode & ~0o111)
    return prepared


def _remove(root: Path, paths: Iterable[PurePosixPath]) -> None:
    for path in paths:
        (root / path).unlink()
        for folder in path.parents:
            if folder == PurePosixPath(".") or any((root / folder).iterdir()):
                break
            (root / folder).rmdir()


def _move(root: Path, prepared: Mapping[PurePosixPath, Path]) -> None:
    for path, place in prepared.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(place, root / path)


def _refuse_linked_folder(root: Path, path: PurePosixPath) -> None:
    """What is behind it may be no part of the repository."""
    for folder in path.parents[:-1]:
        if (root / folder).is_symlink():
            raise UserError(
                f"{root / folder} is a symbolic link, where the template has a folder:"
                " make it a folder"
            )
