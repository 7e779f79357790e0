"""Whatever the user and the template have done: no line is lost, and Copier's right.

An everyday run tries the same few hundred sequences each time; `make soak` 10,000.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import copier
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testbed.files import File
from testbed.history import History
from testbed.merging import merge
from testbed.project import WorkTree, read_state
from testbed.update import plan_update

from .conftest import Releases, commit, git, tree

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
UNHURRIED = {"deadline": None, "suppress_health_check": list(HealthCheck)}
if not SOAK:
    UNHURRIED |= {"derandomize": True, "database": None}

NAMES = ["one.py", "two.py", "sub/three.py"]
LINES = 12
# What is done to a file, at which line.
edits = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["insert", "replace", "delete", "delete file", "rename file"]),
        st.integers(0, LINES),
    ),
    max_size=6,
)
Texts = dict[str, list[str]]
Edits = list[tuple[str, str, int]]


def start() -> Texts:
    return {name: [f"{name} {n}" for n in range(LINES)] for name in NAMES}


def change(texts: Texts, edits: Edits, who: str) -> None:
    """Make the edits; each line that comes with one is there once, anywhere."""
    for number, (name, edit, line) in enumerate(edits):
        if name not in texts:
            continue
        lines = texts[name]
        place = min(line, len(lines))
        if edit == "insert":
            lines.insert(place, f"{who} {number}")
        elif edit == "replace":
            lines[place : place + 1] = [f"{who} {number}"]
        elif edit == "delete":
            del lines[place : place + 1]
        elif edit == "delete file":
            del texts[name]
        elif who != "mine":  # what a user renames is theirs alone from then on
            texts[f"new/{name}"] = texts.pop(name)


def files(texts: Texts) -> dict[PurePosixPath, File]:
    return {
        PurePosixPath(name): File("100644", "".join(f"{x}\n" for x in lines).encode())
        for name, lines in texts.items()
    }


def lines_of(merged: Mapping[PurePosixPath, File]) -> list[str]:
    texts = (file.content.decode() for file in merged.values())
    return [line for text in texts for line in text.splitlines()]


@settings(max_examples=10_000 if SOAK else 200, **UNHURRIED)
@given(mine=edits, new=edits)
def test_no_line_is_lost(mine: Edits, new: Edits) -> None:
    ours, theirs = start(), start()
    change(ours, mine, "mine")
    change(theirs, new, "new")
    result = merge(
        *map(files, (start(), ours, theirs)), our_name="yours", their_name="testbed"
    )
    merged = lines_of(result.files)
    for line in lines_of(files(ours)):
        if line.startswith("mine"):
            assert line in merged
    told = {each.path for each in result.conflicts} | set(result.left_deleted)
    for name, text in theirs.items():
        for line in text:
            if line.startswith("new") and line not in merged:
                assert {
                    PurePosixPath(name),
                    PurePosixPath(name.removeprefix("new/")),
                } & told
    assert bool(result.conflicts) or not any("<<<<<<<" in line for line in merged)


@pytest.fixture
def origin(releases: Releases, cache_folder: Path) -> Releases:
    """The small template, whose managed files are those of `start`."""
    shutil.rmtree(releases.managed)
    write(releases.managed, start())
    releases.release("v1.0.0")
    return releases


def write(folder: Path, texts: Texts) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, lines in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(f"{line}\n" for line in lines))


same_line_edits = edits.map(
    lambda each: [edit for edit in each if edit[1] != "rename file"]
)


@settings(max_examples=300 if SOAK else 8, **UNHURRIED)
@given(
    mine=same_line_edits,
    new=same_line_edits,
    cache=st.sampled_from(["redis", "valkey"]),
)
def test_the_tree_is_that_of_copier_where_it_is_right(
    origin: Releases, mine: Edits, new: Edits, cache: str
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        template = Releases(Path(temporary).resolve() / "template")
        shutil.copytree(origin.folder, template.folder)
        project = Path(temporary).resolve() / "project"
        copier.run_copy(
            str(template.folder),
            project,
            data={"cache": cache},
            defaults=True,
            quiet=True,
        )
        ours, theirs = start(), start()
        change(ours, mine, "mine")
        change(theirs, new, "new")
        write(project / "managed", ours)
        git(project, "init", "--quiet")
        commit(project, "mine")
        write(template.managed, theirs)
        template.release()

        copiers = Path(shutil.copytree(project, Path(temporary) / "copiers"))
        copier.run_update(copiers, defaults=True, overwrite=True, quiet=True)
        ours_now = WorkTree(project)
        state = read_state(ours_now)
        update = plan_update(ours_now, state, History(state.source))
        ours_now.write(update.before, update.after, "")

        is_unmerged = git(copiers, "ls-files", "--unmerged") != ""
        loses = any(
            line not in lines_of_tree(copiers)
            for line in lines_of_tree(project)
            if line.startswith("mine")
        )
        if not (is_unmerged or loses or update.conflicts):
            assert tree(project) == tree(copiers)


def lines_of_tree(folder: Path) -> list[str]:
    contents = (content for _, content in tree(folder).values())
    return [line for content in contents for line in content.decode().splitlines()]
