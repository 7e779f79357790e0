"""The three-way merge of files: git's own, of which a user's line is never lost.

Both versions of the template and the user's files go into a repository of their own, so
it does not matter whether the user's has a work tree, all objects, or hooks.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .files import LINK, File, Files
from .git import GitError, git, run_git


@dataclass(frozen=True)
class Conflict:
    """What could not be merged: where, and what happened on both sides, in a line."""

    path: PurePosixPath
    reason: str


@dataclass(frozen=True)
class Merge:
    """The result: `files` as they are to be, with markers where a conflict is.

    `left_deleted` are those that the user deleted and the template has changed since.
    """

    files: dict[PurePosixPath, File]
    conflicts: list[Conflict]
    left_deleted: list[PurePosixPath]


def merge(
    base: Files, ours: Files, theirs: Files, *, our_name: str, their_name: str
) -> Merge:
    """Merge what became of `base` in `ours`, the user's files, and in `theirs`.

    The names are those that markers of conflicts have.
    """
    deleted = base.keys() - ours.keys()
    left_deleted = [p for p in deleted if p in theirs and theirs[p] != base[p]]
    base, theirs = _without(base, deleted), _without(theirs, deleted)
    replaced = {
        path
        for path in base.keys() & ours.keys()
        if (base[path].mode == LINK) != (ours[path].mode == LINK)
    }
    conflicts = [
        Conflict(path, "you made it a link, and the template has changed it")
        for path in replaced
        if theirs.get(path) != base[path]
    ]
    crlf = {
        path
        for path, file in ours.items()
        if path not in replaced
        and _has_crlf(file)
        and not _has_crlf(base.get(path) or theirs[path])
    }
    base, ours, theirs = (
        {p: _with_lf(f) if p in crlf else f for p, f in files.items()}
        for files in (base, ours, theirs)
    )
    merged, found = _merge_trees(
        _without(base, replaced),
        _without(ours, replaced),
        _without(theirs, replaced),
        our_name,
        their_name,
    )
    for path in crlf & merged.keys():
        file = merged[path]
        merged[path] = File(file.mode, file.content.replace(b"\n", b"\r\n"))
    merged |= {path: ours[path] for path in replaced}
    return Merge(merged, sorted(conflicts + found, key=str), sorted(left_deleted))


def _without(files: Files, paths: Iterable[PurePosixPath]) -> Files:
    return {path: file for path, file in files.items() if path not in set(paths)}


def _with_lf(file: File) -> File:
    return File(file.mode, file.content.replace(b"\r\n", b"\n"))


def _has_crlf(file: File) -> bool:
    """Whether all its lines end like those of Windows."""
    lines = file.content.count(b"\n")
    return lines > 0 and file.content.count(b"\r\n") == lines


def _merge_trees(
    base: Files, ours: Files, theirs: Files, our_name: str, their_name: str
) -> tuple[dict[PurePosixPath, File], list[Conflict]]:
    # No name can be an option, or what git takes for a part of a name.
    ours_ref, theirs_ref = (
        re.sub(r"[^A-Za-z0-9._+-]|\.\.+|\.lock", "-", name).strip(".-")
        for name in (our_name, their_name)
    )
    with tempfile.TemporaryDirectory(prefix="testbed-merge-") as temporary:
        folder = Path(temporary)
        git("init", "--quiet", "--bare", ".", cwd=folder)
        stream = _commit("base", None, base)
        stream += _commit(ours_ref, "base", ours) + _commit(theirs_ref, "base", theirs)
        git("fast-import", "--quiet", cwd=folder, is_own=True, stdin=stream)
        settings = [
            "merge.conflictStyle=merge",
            "merge.directoryRenames=false",
            "merge.renames=true",
            "diff.algorithm=histogram",
        ]
        result = run_git(
            *(option for setting in settings for option in ("-c", setting)),
            *("merge-tree", "--write-tree", "-z", ours_ref, theirs_ref),
            cwd=folder,
            is_own=True,
        )
        if result.returncode not in {0, 1}:
            raise GitError("merge-tree", result.stderr)
        tree, conflicts = _parse(result.stdout, ours)
        return _read_tree(folder, tree), conflicts


def _commit(branch: str, parent: str | None, files: Files) -> bytes:
    """A commit of these files, as `git fast-import` reads it."""
    lines = [
        b"commit refs/heads/" + branch.encode(),
        b"committer testbed <testbed> 0 +0000",
        b"data 0",
    ]
    if parent:
        lines.append(b"from refs/heads/" + parent.encode())
    lines.append(b"deleteall")
    for path, file in files.items():
        lines.append(f"M {file.mode} inline {_quote(path)}".encode())
        lines.append(b"data %d\n%s" % (len(file.content), file.content))
    return b"\n".join(lines) + b"\n"


def _quote(path: PurePosixPath) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _parse(printed: bytes, ours: Files) -> tuple[str, list[Conflict]]:
    """The tree that merge-tree has made, and the conflicts that it tells of."""
    fields = [field.decode(errors="surrogateescape") for field in printed.split(b"\0")]
    tree = fields.pop(0)
    while fields and fields.pop(0):
        pass  # stages of what is unmerged, up to an empty field
    reasons: dict[PurePosixPath, str] = {}
    while len(fields) > 1:
        count = int(fields.pop(0))
        paths, fields = fields[:count], fields[count:]
        kind, message, *fields = fields
        if kind.startswith("CONFLICT"):
            # After `CONFLICT (<kind>): `, which is what we call it as well.
            reason = " ".join(message.partition(": ")[2].split())
            reasons[PurePosixPath(paths[0])] = reason
    return tree, [Conflict(path, reason) for path, reason in reasons.items()]


def _read_tree(folder: Path, tree: str) -> dict[PurePosixPath, File]:
    printed = git("ls-tree", "-r", "-z", tree, cwd=folder, is_own=True)
    listed = printed.split(b"\0")
    entries = []
    for line in filter(None, listed):
        facts, _, path = line.partition(b"\t")
        mode, _, blob = facts.decode().split()
        entries.append(
            (PurePosixPath(path.decode(errors="surrogateescape")), mode, blob)
        )
    contents = read_blobs(folder, [blob for _, _, blob in entries], is_own=True)
    return {path: File(mode, contents[blob]) for path, mode, blob in entries}


def read_blobs(
    repository: Path, blobs: Iterable[str], *, is_own: bool = False
) -> dict[str, bytes]:
    """The contents of objects; of a partial clone, git fetches them."""
    wanted = list(blobs)
    asked = "".join(f"{blob}\n" for blob in wanted).encode()
    ask = ("cat-file", "--batch")
    printed = git(*ask, cwd=repository, is_own=is_own, stdin=asked)
    contents, place = {}, 0
    for blob in wanted:
        line, _, _ = printed[place:].partition(b"\n")
        if line.endswith(b" missing"):
            raise GitError("cat-file", b"fatal: " + line)
        size = int(line.split()[2])
        place += len(line) + 1
        contents[blob] = printed[place : place + size]
        place += size + 1
    return contents
