"""A repository that was made from a template: what it has of it, and changes to it."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from .errors import UserError
from .files import File, Files, read_files, write_files
from .git import GitError, git
from .merging import read_blobs
from .template import read_yaml

# What an update has changed, as it was, where it was not committed.
KEPT = "refs/testbed/before-update"

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
ANSWERS_FILES = (".copier-answers*.yml", ".copier-answers*.yaml")


class Project(Protocol):
    """Where the files of a project are."""

    def names(self) -> list[str]:
        """What is in its folder."""

    def read(self, paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, File]:
        """Those of the files that there are."""

    def write(self, old: Files, new: Files, message: str) -> str | None:
        """Make the `old` files, all of which it has, the `new` ones.

        Gives the ref that keeps what was not committed of them, if any was not.
        """


@dataclass(frozen=True)
class WorkTree:
    """A folder of a work tree: what it holds now, committed or not."""

    root: Path

    def names(self) -> list[str]:
        return os.listdir(self.root)

    def read(self, paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, File]:
        wanted = list(paths)
        found = read_files(self.root, wanted)
        if missing := [f":(literal){path}" for path in wanted if path not in found]:
            # What is not checked out was not deleted.
            listed = git("ls-files", "-t", "-z", "--", *missing, cwd=self.root)
            for line in listed.split(b"\0"):
                if line.startswith(b"S "):
                    raise UserError(
                        f"{os.fsdecode(line[2:])} is not checked out (git"
                        " sparse-checkout): add its folder, or update a --branch"
                    )
        return found

    def write(self, old: Files, new: Files, message: str) -> str | None:
        now = self.read(old.keys() | new.keys())
        if changed := [p for p in now.keys() | old.keys() if now.get(p) != old.get(p)]:
            raise UserError(
                f"{changed[0]} has changed meanwhile: call it again, nothing is written"
            )
        kept = self._keep([path for path in old if old[path] != new.get(path)], message)
        write_files(self.root, old, new)
        return kept

    def _keep(self, paths: list[PurePosixPath], message: str) -> str | None:
        """Commit the paths to a ref of our own, unless HEAD has them as they are."""
        if not paths:
            return None
        names = [f":(literal){path}" for path in paths]
        asked = ("status", "--porcelain", "-z", "--ignored", "--untracked-files=all")
        if not git(*asked, "--", *names, cwd=self.root):
            return None
        with tempfile.TemporaryDirectory() as temporary:
            variables = {
                "GIT_INDEX_FILE": f"{temporary}/index",
                **{
                    f"GIT_{role}_{fact}": "testbed"
                    for role in ("AUTHOR", "COMMITTER")
                    for fact in ("NAME", "EMAIL")
                },
            }

            def call(*arguments: str) -> str:
                printed = git(*arguments, cwd=self.root, variables=variables)
                return printed.decode().strip()

            call("add", "--force", "--", *names)
            # What earlier updates have kept stays, as its history.
            earlier = call("for-each-ref", "--format=%(objectname)", KEPT).split()
            parents = [option for parent in earlier for option in ("-p", parent)]
            tree = call("write-tree")
            commit = call("commit-tree", tree, *parents, "-m", f"Before: {message}")
            call("update-ref", KEPT, commit)
        return KEPT


@dataclass(frozen=True)
class Branch:
    """A folder of a commit, the newest of a branch, in a repository with any work tree.

    `write` adds a commit to the branch; nobody's work tree changes.
    """

    repository: Path
    name: str
    commit: str
    folder: PurePosixPath

    def names(self) -> list[str]:
        listed = self._git(
            "ls-tree", "--full-tree", "-z", "--name-only", self._tree
        ).split(b"\0")
        return [os.fsdecode(name) for name in listed if name]

    @property
    def _tree(self) -> str:
        folder = "" if self.folder == PurePosixPath() else str(self.folder)
        return f"{self.commit}:{folder}"

    def read(self, paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, File]:
        listed = self._git("ls-tree", "--full-tree", "-r", "-t", "-z", self._tree)
        modes, kinds, blobs = {}, {}, {}
        for line in filter(None, listed.split(b"\0")):
            facts, _, name = line.partition(b"\t")
            path = PurePosixPath(os.fsdecode(name))
            modes[path], kinds[path], blobs[path] = facts.decode().split()
        wanted = list(paths)
        for path in wanted:
            for folder in path.parents[:-1]:
                if kinds.get(folder, "tree") != "tree" and folder not in wanted:
                    raise UserError(
                        f"{folder} on {self.name} is no folder, where the template has"
                        " one: rename it"
                    )
            if kinds.get(path, "blob") != "blob":
                raise UserError(
                    f"{path} on {self.name} is no file, where the template has one:"
                    " rename it"
                )
        found = [path for path in wanted if path in blobs]
        contents = read_blobs(self.repository, [blobs[path] for path in found])
        return {path: File(modes[path], contents[blobs[path]]) for path in found}

    def write(self, old: Files, new: Files, message: str) -> None:
        """Raises UserError when the branch has moved meanwhile, or is checked out."""
        ref = f"refs/heads/{self.name}"
        trees = self._git("worktree", "list", "--porcelain", "-z").split(b"\0")
        if f"branch {ref}".encode() in trees:
            raise UserError(
                f"{self.name} is checked out: update it there, without --branch, or"
                " name another branch"
            )
        nothing = "0" * len(self.commit)
        lines = [
            f"0 {nothing}\t{self.folder / path}" for path in old.keys() - new.keys()
        ]
        for path, file in new.items():
            if old.get(path) != file:
                blob = self._git("hash-object", "-w", "--stdin", stdin=file.content)
                lines.append(
                    f"{file.mode} {blob.decode().strip()}\t{self.folder / path}"
                )
        with tempfile.TemporaryDirectory() as temporary:
            index = {"GIT_INDEX_FILE": f"{temporary}/index"}
            self._git("read-tree", self.commit, variables=index)
            entries = "".join(line + "\0" for line in lines).encode()
            self._git(
                "update-index", "-z", "--index-info", stdin=entries, variables=index
            )
            tree = self._git("write-tree", variables=index).decode().strip()
        commit = self._git("commit-tree", tree, "-p", self.commit, "-m", message)
        moved = (commit.decode().strip(), self.commit)
        self._git("update-ref", ref, *moved)

    def _git(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        variables: dict[str, str] | None = None,
    ) -> bytes:
        try:
            return git(
                *arguments, cwd=self.repository, stdin=stdin, variables=variables
            )
        except GitError as error:
            raise UserError(
                f"{self.repository}, branch {self.name}: {error}"
            ) from error


def open_project(repository: Path, branch: str | None) -> Project:
    """The project in a folder of a git repository, in its work tree or on a branch.

    Raises UserError where there is none.
    """
    try:
        asked = ("--is-bare-repository", "--show-prefix")
        printed = os.fsdecode(git("rev-parse", *asked, cwd=repository))
    except (GitError, OSError) as error:
        raise UserError(
            f"{repository} is in no git repository, which would show what changes, and"
            f" undo it: {error}"
        ) from error
    bare, _, prefix = printed.removesuffix("\n").partition("\n")
    if branch:
        return _open_branch(repository, branch, PurePosixPath(prefix))
    if bare == "true":
        raise UserError(f"{repository} has no work tree: --branch names a branch of it")
    return WorkTree(repository)


def _open_branch(repository: Path, name: str, folder: PurePosixPath) -> Branch:
    ref = f"refs/heads/{name}"
    ask = ("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    try:
        commit = git(*ask, cwd=repository).decode().strip()
    except GitError as error:
        raise UserError(f"{repository} has no branch {name}: {error}") from error
    return Branch(repository, name, commit, folder)


@dataclass(frozen=True)
class State:
    """What an answers file says: its path, the source and version, and the answers.

    `commit` is the full hash of what `version` names, where the file has it.
    """

    file: PurePosixPath
    source: str
    version: str
    commit: str | None
    answers: dict[str, Any]


def read_state(project: Project, file: str | None = None) -> State:
    """Read the answers file of the project, the named one or its only one.

    Raises UserError when there is none, or several, or when it cannot be read.
    """
    names = sorted(
        name
        for name in project.names()
        if any(fnmatch.fnmatch(name, pattern) for pattern in ANSWERS_FILES)
    )
    if file is None:
        if not names:
            raise UserError(
                "there is no .copier-answers.yml: this is no repository made from the"
                " template, or not its root"
            )
        if len(names) > 1:
            raise UserError(
                f"there are {', '.join(names)}: --answers-file says which is meant"
            )
        (file,) = names
    path = PurePosixPath(file)
    # Nothing that leads out of the folder: a rendering has a file of that name, too.
    if str(path) not in project.names() or path not in (found := project.read([path])):
        raise UserError(f"there is no {file}; there are {', '.join(names) or 'none'}")
    try:
        answers = read_yaml(found[path].content.decode(), file)
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no text: {error}") from error
    if not isinstance(answers, dict):
        raise UserError(f"{file} has no answers in it: restore it")
    for name in ("_src_path", "_commit"):
        if not isinstance(answers.get(name), str):
            raise UserError(f"{file} has no {name}: restore it, Copier wrote that line")
        if not answers[name].isprintable():
            raise UserError(f"{file} has a {name} that cannot be one: restore it")
    for name in answers:
        if not isinstance(name, str):
            raise UserError(f"{file} answers {name}, which is no question: restore it")
    try:
        json.dumps(answers, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{file} has what is no character: {error.reason}") from error
    recorded = {k: v for k, v in answers.items() if not str(k).startswith("_")}
    commit = answers.get("_commit_hash")
    if not (isinstance(commit, str) and _HASH.fullmatch(commit)):
        commit = None
    return State(path, answers["_src_path"], answers["_commit"], commit, recorded)
