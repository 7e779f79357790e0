"""The versions of a template: its repository, and what it looked like in each."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from copier._vcs import get_repo  # `gh:` and the like, as answers files have them
from filelock import FileLock
from packaging.version import InvalidVersion
from packaging.version import Version as PEP440
from platformdirs import user_cache_path

from .errors import UserError
from .git import GitError, git

# What the repository itself has checked out: its main branch.
_HEAD = "refs/testbed/head"


@dataclass(frozen=True)
class Version:
    """One version of a template.

    `source` is its repository as answers files record it, `name` what they call the
    version, `commit` its full hash, `folder` where its files are.
    """

    source: str
    name: str
    commit: str
    folder: Path

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What copier.yml holds. Raises UserError when it cannot be read."""
        try:
            settings = yaml.safe_load((self.folder / "copier.yml").read_bytes())
        except (OSError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise UserError(
                f"copier.yml of {self.source} at {self.name} cannot be read: {reason}"
            ) from error
        if not isinstance(settings, dict):
            raise UserError(
                f"copier.yml of {self.source} at {self.name} asks no question: is that"
                " the template?"
            )
        return settings


class History:
    """The repository of a template, of which a copy is kept in the user's cache.

    Raises UserError when it cannot be had.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        key = hashlib.sha256(source.encode()).hexdigest()[:16]
        self._cache = user_cache_path("testbed") / key
        self._copy = self._cache / "repository.git"
        self._cache.mkdir(parents=True, exist_ok=True)
        self._fetch()

    def _fetch(self) -> None:
        try:
            self._address = address = get_repo(self.source) or self.source
        except RuntimeError as error:  # `~somebody`
            raise UserError(f"{self.source} is no address: {error}") from error
        with FileLock(self._cache / "lock"):
            try:
                if (
                    not (self._copy / "HEAD").exists()
                    or not (self._copy / "objects").is_dir()
                ):
                    # What others removed of it, or what was never finished.
                    shutil.rmtree(self._copy, ignore_errors=True)
                    git("init", "--quiet", "--bare", self._copy, cwd=self._cache)
                # What a tag once was stays here, should somebody move it.
                git(
                    *("fetch", "--quiet", "--force", "--prune", "--no-auto-gc"),
                    *("--", address),
                    *("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"),
                    f"+HEAD:{_HEAD}",
                    cwd=self._copy,
                    is_own=True,
                )
            except GitError as error:
                raise UserError(
                    f"cannot fetch the template from {address}: {error} (what is kept"
                    f" of it is in {self._copy}, and may be removed)"
                ) from error

    @cached_property
    def newest(self) -> Version:
        """The newest release, as Copier sees it; without one, the newest commit."""
        tags = self._ask("tag", "--list").split()
        releases = {tag: parsed for tag in tags if (parsed := _parse(tag))}
        final = {tag: each for tag, each in releases.items() if not each.is_prerelease}
        candidates = final or releases
        if not candidates:
            return self.version("HEAD")
        return self.version(max(candidates, key=lambda tag: candidates[tag]))

    def recorded(self, name: str, commit: str | None) -> Version:
        """The version that an answers file names, by the commit that it has beside it.

        That is another than the name's now if somebody has moved the tag.
        """
        if commit is None:
            return self.version(name)
        if not self._has(commit):
            # Nothing that is fetched leads to it; a server may have it yet.
            with suppress(GitError):
                git(
                    *("fetch", "--quiet", "--no-auto-gc", "--"),
                    *(self._address, commit),
                    cwd=self._copy,
                    is_own=True,
                )
        if not self._has(commit):
            now = self.version(name)  # or says that there is none at all
            raise UserError(
                f"{name} of {self.source} was moved: it is {now.commit[:12]}, and what"
                f" this was made from, {commit[:12]}, is gone; --from {name} starts"
                " from what it is now, and takes what was between for your edits"
            )
        return self.version(commit)

    def _has(self, commit: str) -> bool:
        try:
            self._ask("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return False
        return True

    def version(self, name: str) -> Version:
        """The version of that tag, branch, commit or `_commit` of an answers file."""
        revision = _HEAD if name == "HEAD" else name
        ask = ("rev-parse", "--verify", "--quiet", "--end-of-options")
        try:
            commit = self._ask(*ask, f"{revision}^{{commit}}")
        except GitError:
            raise UserError(
                f"{self.source} has no version {name}: its history was rewritten, or"
                " the name is wrong; --from names the version to start from"
            ) from None
        described = self._ask("describe", "--tags", "--always", commit)
        return Version(self.source, described, commit, self._files_of(commit))

    def is_ancestor(self, older: Version, newer: Version) -> bool:
        """Whether the newer has all commits that the older has."""
        try:
            self._ask("merge-base", "--is-ancestor", older.commit, newer.commit)
        except GitError:
            return False
        return True

    def _ask(self, *arguments: str) -> str:
        return git(*arguments, cwd=self._copy, is_own=True).decode().strip()

    def _files_of(self, commit: str) -> Path:
        folder = self._cache / commit
        listed = git(
            *("ls-tree", "-r", "-z", "--name-only", commit),
            cwd=self._copy,
            is_own=True,
        )
        names = {os.fsdecode(name) for name in listed.split(b"\0") if name}
        with FileLock(self._cache / "lock"):
            # Others clean up a user's cache: of a version, only a part may be left.
            if not names <= {
                p.relative_to(folder).as_posix() for p in folder.rglob("*")
            }:
                # Whole, or not at all.
                with tempfile.TemporaryDirectory(dir=self._cache) as temporary:
                    packed = git(
                        *("archive", "--format=tar", commit),
                        cwd=self._copy,
                        is_own=True,
                    )
                    files = Path(temporary) / "files"
                    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                        archive.extractall(files, filter="tar")
                    shutil.rmtree(folder, ignore_errors=True)
                    os.rename(files, folder)
        return folder


def _parse(tag: str) -> PEP440 | None:
    try:
        return PEP440(tag)
    except InvalidVersion:
        return None
