"""What adopting changes: a rendering, merged with what the repository has."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ..errors import UserError
from ..files import File, write_files
from ..git import git, run_git
from ..history import Version
from ..merging import Conflict, merge
from ..project import ANSWERS_FILES, Project
from ..rendering import render

_ANSWERS = PurePosixPath(".copier-answers.yml")
_ANSWERS_BESIDE = PurePosixPath(".copier-answers.testbed.yml")


@dataclass(frozen=True)
class Adoption:
    """What adopting will change: files of the repository, `before` and `after` it.

    `kept` are the user's own files, where the template has one of that name, too.
    """

    before: dict[PurePosixPath, File]
    after: dict[PurePosixPath, File]
    conflicts: list[Conflict]
    kept: list[PurePosixPath]
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> dict[PurePosixPath, str]:
        """What happens to each path: `added`, `changed` or `conflict`."""
        conflicts = {conflict.path for conflict in self.conflicts}
        changes = {}
        for path in sorted(self.after):
            if path in conflicts:
                changes[path] = "conflict"
            elif path not in self.before:
                changes[path] = "added"
            elif self.before[path] != self.after[path]:
                changes[path] = "changed"
        return changes


def answers_file(project: Project) -> PurePosixPath:
    """The answers file that the bed will have, beside one of another template.

    Raises UserError where there is a bed already.
    """
    names = {PurePosixPath(name) for name in project.names()}
    there = sorted(n for n in names if any(n.match(p) for p in ANSWERS_FILES))
    for path, file in project.read(there).items():
        try:
            answers = yaml.safe_load(file.content)
        except yaml.YAMLError:
            answers = None
        if path == _ANSWERS_BESIDE or (
            isinstance(answers, dict) and {"tests_dir", "database"} <= answers.keys()
        ):
            raise UserError(
                f"{path} is there: it has a bed; `testbed update` changes it"
            )
    return _ANSWERS_BESIDE if _ANSWERS in there else _ANSWERS


def plan_adoption(
    project: Project,
    version: Version,
    answers: Mapping[str, Any],
    file: PurePosixPath,
) -> Adoption:
    """Render a version and merge it with what is there, without writing it.

    Raises UserError when an answer is refused.
    """
    rendering = render(version, {}, answers, file)
    ours = project.read(sorted(rendering.files))
    managed = rendering.managed - {file}
    merged = merge(
        {},
        {path: ours[path] for path in ours if path in managed},
        {path: rendering.files[path] for path in managed},
        # As `testbed check` finds them.
        our_name="yours-on-adoption",
        their_name=f"testbed-{version.name}",
    )
    own = rendering.files.keys() - managed
    return Adoption(
        before={path: ours[path] for path in ours if path in managed},
        after=merged.files | {p: rendering.files[p] for p in own - ours.keys()},
        conflicts=merged.conflicts,
        kept=sorted(own & ours.keys()),
        answers=rendering.answers,
    )


def refuse_what_cannot_be_undone(root: Path, adoption: Adoption) -> None:
    """Raise UserError where git could not give back what will be changed."""
    listed = git("ls-files", "--stage", "-z", cwd=root).decode(errors="surrogateescape")
    submodules = {
        PurePosixPath(line.partition("\t")[2])
        for line in listed.split("\0")
        if line.startswith("160000 ")
    }
    for path in adoption.changes:
        if inside := submodules & set(path.parents):
            raise UserError(
                f"{inside.pop()} is a submodule, in which {path} would be: choose"
                " another folder with -d tests_dir=..."
            )
    changed = [str(path) for path in adoption.changes if path in adoption.before]
    if not changed:
        return
    ask = ("status", "--porcelain", "-z", "--ignored", "--untracked-files=all", "--")
    dirty = git(*ask, *changed, cwd=root).decode(errors="surrogateescape")
    if dirty:
        raise UserError(
            f"{dirty.split(chr(0))[0][3:]} has changes that are not committed, and will"
            " be changed: commit it first, so that git can undo this"
        )


def write(root: Path, adoption: Adoption) -> None:
    """Write all of it, or nothing."""
    before = {p: adoption.before[p] for p in adoption.changes if p in adoption.before}
    after = {path: adoption.after[path] for path in adoption.changes}
    write_files(root, before, after)


def new_places(root: Path, adoption: Adoption) -> list[str]:
    """What is added, each by the topmost folder that was not there before."""
    places = set()
    for path, change in adoption.changes.items():
        if change == "added":
            new = [f for f in path.parents[:-1] if not (root / f).exists()]
            places.add(str(new[-1] if new else path))
    return sorted(places)


def undo(root: Path, adoption: Adoption, places: list[str]) -> list[str]:
    """The commands that take it all back."""
    where = "" if root == Path() else f" -C {shlex.quote(str(root))}"
    changed = [str(p) for p, change in adoption.changes.items() if change != "added"]
    commands = []
    if changed:
        commands.append(f"git{where} checkout -- {shlex.join(changed)}")
    commands.append(f"git{where} clean -fdxq -- {shlex.join(places)}")
    return commands


def ignored(root: Path, adoption: Adoption) -> list[str]:
    """Added files that git ignores: they would never be committed."""
    added = [str(path) for path in adoption.changes if path not in adoption.before]
    asked = "".join(f"{path}\0" for path in added).encode()
    printed = run_git("check-ignore", "-z", "--stdin", cwd=root, stdin=asked).stdout
    return [path.decode(errors="replace") for path in printed.split(b"\0") if path]
