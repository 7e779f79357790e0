"""From one version of the template to another, without losing a line of the user's."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import copier
from copier.errors import CopierError
from plumbum import ProcessExecutionError

from .errors import UserError, one_line
from .files import LINK, File, Files
from .git import git
from .history import History, Version
from .merging import Conflict, merge
from .options import choices
from .project import Project, State
from .rendering import Rendering, render
from .template import Template

# The first git that merges without a work tree.
MERGE_TREE_SINCE = (2, 38)

_MARKER = re.compile(rb"^(<{7}|>{7}) (yours-on-|testbed-)", re.MULTILINE)


class Unanswered(UserError):
    """A question of the template has no answer that is accepted, and no default."""

    def __init__(self, reason: str, name: str, question: dict[str, Any]) -> None:
        super().__init__(reason)
        self.name = name
        self.question = question


@dataclass(frozen=True)
class Update:
    """What an update will change: managed files, `before` and `after` it.

    `left_deleted` are files that the user deleted and the template has changed since,
    `offered` new ones that would be the user's own, `notes` tell of answers.
    """

    old: Version
    new: Version
    before: dict[PurePosixPath, File]
    after: dict[PurePosixPath, File]
    conflicts: list[Conflict]
    left_deleted: list[PurePosixPath]
    offered: dict[PurePosixPath, File]
    notes: list[str] = field(default_factory=list)

    @property
    def changes(self) -> dict[PurePosixPath, str]:
        """What happens to each path: `added`, `changed`, `removed` or `conflict`."""
        conflicts = {conflict.path for conflict in self.conflicts}
        changes = {}
        for path in sorted(self.before.keys() | self.after.keys()):
            if path in conflicts:
                changes[path] = "conflict"
            elif path not in self.before:
                changes[path] = "added"
            elif path not in self.after:
                changes[path] = "removed"
            elif self.before[path] != self.after[path]:
                changes[path] = "changed"
        return changes

    def diff(self) -> Iterator[str]:
        """The changes as a unified diff, line by line."""
        for path in self.changes:
            before, after = self.before.get(path), self.after.get(path)
            if before and after and before.mode != after.mode:
                yield f"{path}: mode {before.mode} becomes {after.mode}"
            try:
                old, new = (
                    file.content.decode().splitlines() if file else []
                    for file in (before, after)
                )
            except UnicodeDecodeError:
                yield f"{path}: binary"
                continue
            old_name = f"a/{path}" if before else "/dev/null"
            new_name = f"b/{path}" if after else "/dev/null"
            yield from difflib.unified_diff(old, new, old_name, new_name, lineterm="")


def plan_update(
    project: Project,
    state: State,
    history: History,
    *,
    start: str | None = None,
    to: str | None = None,
    given: Mapping[str, Any] | None = None,
    with_new: bool = False,
) -> Update:
    """Merge what the template has changed into the project, without writing it.

    `start` and `to` name versions in place of the recorded one and the newest, `given`
    are answers in place of recorded ones; `with_new` adds what is `offered`. Raises
    UserError when a version is not there or an answer is refused, Unanswered when one
    is missing.
    """
    given = given or {}
    old = (
        history.version(start)
        if start
        else history.recorded(state.version, state.commit)
    )
    new = history.version(to) if to else history.newest
    if not to and history.is_ancestor(new, old):
        new = old  # made from commits that no release has yet
    Template(new.source, new.name, _questions(new)).refuse_bad(dict(given))
    base = render(old, state.answers, {}, state.file)
    answers, notes = _carry(state.answers, new)
    kept = {k: v for k, v in answers.items() if k not in given}
    for name, question in _questions(new).items():
        if _is_required(question) and name not in answers.keys() | given.keys():
            raise Unanswered(
                f"{new.name} asks for {name}, which has no default: answer it with"
                f" -d {name}=...",
                name,
                question,
            )
    theirs = render(new, kept, given, state.file)
    notes += _compare_answers(answers, theirs.answers, given, new)

    # What became the user's own stays as it is, like what always was.
    managed = theirs.managed | (base.managed - theirs.files.keys())
    managed -= {state.file}  # nobody's edits: Copier writes it anew
    ours = project.read(managed)
    for path, file in ours.items():
        if _MARKER.search(file.content):
            raise UserError(f"{path} still has markers of a conflict: edit it first")
    merged = merge(
        _only(base.files, managed),
        ours,
        _only(theirs.files, managed),
        our_name=f"yours-on-{old.name}",
        their_name=f"testbed-{new.name}",
    )
    offered = _only(
        theirs.files, theirs.files.keys() - theirs.managed - base.files.keys()
    )
    offered = {p: file for p, file in offered.items() if not _is_taken(project, p)}
    answers_file = {state.file: theirs.files[state.file]}
    return Update(
        old=old,
        new=new,
        before=ours | project.read([state.file]),
        after=merged.files | answers_file | (offered if with_new else {}),
        conflicts=merged.conflicts,
        left_deleted=merged.left_deleted,
        offered={} if with_new else offered,
        notes=notes,
    )


def _is_taken(project: Project, path: PurePosixPath) -> bool:
    """Whether something of the user's is there, or in the way."""
    try:
        return path in project.read([path])
    except UserError:
        return True


def _only(files: Files, paths: Any) -> dict[PurePosixPath, File]:
    return {path: files[path] for path in sorted(paths) if path in files}


def _questions(version: Version) -> dict[str, dict[str, Any]]:
    return {k: v for k, v in version.settings.items() if not k.startswith("_")}


def _is_required(question: Any) -> bool:
    """Whether an answer is needed, as far as that is known without rendering."""
    asked = isinstance(question, dict) and question.get("when", True) is True
    return asked and not question.keys() & {"default", "multiselect"}


def _carry(
    answers: Mapping[str, Any], new: Version
) -> tuple[dict[str, Any], list[str]]:
    """The answers under the names that the new version has for them, and what changed.

    copier.yml tells of new names, in settings that Copier itself does not know.
    """
    questions: dict[str, str] = new.settings.get("_renamed_questions", {})
    renamed: dict[str, dict[Any, Any]] = new.settings.get("_renamed_choices", {})
    carried, notes = {}, []
    for name, answer in answers.items():
        new_name = questions.get(name, name)
        if new_name != name:
            notes.append(f"{name} is called {new_name} now")
        mapped = renamed.get(new_name, {})
        kept = (
            [mapped.get(a, a) if isinstance(a, str | int) else a for a in answer]
            if isinstance(answer, list)
            else answer
        )
        if isinstance(answer, (str, int)):
            kept = mapped.get(answer, answer)
        if kept != answer:
            notes.append(f"{new_name}: {answer} is called {kept} now")
        carried[new_name] = kept
    return carried, notes


def _compare_answers(
    carried: Mapping[str, Any],
    recorded: Mapping[str, Any],
    given: Mapping[str, Any],
    new: Version,
) -> list[str]:
    """What else became of the answers. Raises UserError for one that is not accepted.

    Copier takes the default then, and says nothing.
    """
    notes = []
    for name, answer in carried.items():
        if name in given:
            continue
        if name not in recorded:
            notes.append(f"{name} is no longer asked (it was {answer})")
        elif recorded[name] != answer:
            question = _questions(new)[name]
            offered = choices(question)
            other = f"one of {', '.join(offered)}" if offered else "another value"
            raise Unanswered(
                f"{new.name} does not accept {name}: {answer}; answer it anew with"
                f" -d {name}=..., {other}",
                name,
                question,
            )
    for name in recorded.keys() - carried.keys() - given.keys():
        if not name.startswith("_"):
            notes.append(f"{name} is new: {recorded[name]} (-d {name}=... changes it)")
    return notes


def describe_update(update: Update, *, with_diff: bool) -> dict[str, Any]:
    """The update, for a script to read."""
    return {
        "old": update.old.name,
        "new": update.new.name,
        "changes": {str(path): change for path, change in update.changes.items()},
        "conflicts": {str(each.path): each.reason for each in update.conflicts},
        "left_deleted": list(map(str, update.left_deleted)),
        "offered": list(map(str, update.offered)),
        "notes": update.notes,
        **({"diff": list(update.diff())} if with_diff else {}),
    }


def update_with_copier(
    repository: Path, state: State, to: str | None, given: Mapping[str, Any]
) -> list[str]:
    """Update by Copier's own method; the paths with conflicts."""
    try:
        copier.run_update(
            repository,
            data=dict(given),
            answers_file=str(state.file),
            vcs_ref=to,
            defaults=True,
            overwrite=True,
            quiet=True,
        )
    except (CopierError, ValueError, TypeError) as error:
        raise UserError(one_line(error)) from error
    except ProcessExecutionError as error:  # of git
        raise UserError(" ".join(error.stderr.split())[-300:]) from error
    unmerged = ("diff", "--name-only", "--diff-filter=U", "-z")
    return git(*unmerged, cwd=repository).decode().split("\0")[:-1]


@dataclass(frozen=True)
class Check:
    """How a project stands to the template.

    `edited` and `missing` are managed files that are not as rendered, `half_merged`
    those with markers of conflicts.
    """

    version: Version
    newest: Version
    is_behind: bool
    edited: list[PurePosixPath]
    missing: list[PurePosixPath]
    half_merged: list[PurePosixPath]


def check(project: Project, state: State, history: History) -> Check:
    """Compare a project with the version that it has, and with the newest."""
    version = history.recorded(state.version, state.commit)
    newest = history.newest
    rendering: Rendering = render(version, state.answers, {}, state.file)
    expected = _only(rendering.files, rendering.managed - {state.file})
    found = project.read(expected)
    return Check(
        version=version,
        newest=newest,
        is_behind=not history.is_ancestor(newest, version),
        edited=[p for p in found if _text(found[p]) != _text(expected[p])],
        missing=[p for p in expected if p not in found],
        half_merged=[p for p, file in found.items() if _MARKER.search(file.content)],
    )


def _text(file: File) -> File:
    """Without what Windows adds to lines."""
    if file.mode == LINK:
        return file
    return File(file.mode, file.content.replace(b"\r\n", b"\n"))
