"""The `testbed` command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import plumbum
import typer
import yaml

from .adopt.command import ADOPT_EXAMPLES, adopt
from .doctor import diagnose
from .errors import UserError
from .git import REPOSITORY_VARIABLES, GitError, git_version
from .history import History
from .new import render_new
from .options import Data, DataFile, answers_from_file, answers_from_options, ask
from .project import State, open_project, read_state
from .template import installed_template
from .update import (
    MERGE_TREE_SINCE,
    Unanswered,
    Update,
    describe_update,
    plan_update,
    update_with_copier,
)
from .update import check as check_project

app = typer.Typer(
    help="An integration-test bed for a Python web repository, and its upkeep.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_NEW_EXAMPLES = """Examples:

\b
  testbed new shop
  testbed new shop --defaults -d broker=none -d "project_name=Web Shop"
  testbed new shop --data-file answers.yml --json

Exit codes: 0 rendered, 1 error; then nothing was written.
"""


@app.callback()
def main() -> None:
    """An integration-test bed for a Python web repository, and its upkeep."""


@app.command(epilog=_NEW_EXAMPLES)
def new(
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="A folder that is new or empty.")
    ],
    data: Data = None,
    data_file: DataFile = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: take the defaults.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Ask nothing; print what was made as JSON.")
    ] = False,
) -> None:
    """Render a repository with a test bed into a new folder."""
    answers = {**answers_from_file(data_file), **answers_from_options(data or [])}
    ask = not (defaults or as_json)
    if ask and not sys.stdin.isatty():
        raise UserError("there is no terminal to ask on; add --defaults")
    files = render_new(installed_template(), destination, answers, ask=ask)
    if as_json:
        report = {"destination": str(destination), "files": [str(f) for f in files]}
        typer.echo(json.dumps(report, indent=2))
        return
    recorded = yaml.safe_load((destination / ".copier-answers.yml").read_text())
    tests_dir = recorded["tests_dir"]
    package = "-e . " if recorded["starter"] else ""
    typer.secho(f"Made {len(files)} files", fg="green", nl=False)
    typer.echo(
        f""" in {destination}. Next:

  cd {destination}
  python -m venv .venv && . .venv/bin/activate
  pip install {package}-r {tests_dir}/requirements.txt
  pytest

{tests_dir}/README.md tells the rest."""
    )


_UPDATE_EXAMPLES = """Examples:

\b
  testbed update --dry-run --diff
  testbed update
  testbed update shop --to v2.1.0 -d cache=valkey
  testbed update shop.git --branch testbed-update --json

Exit codes: 0 updated or up to date, 1 error, 3 conflicts (with --dry-run 2: behind).
"""

_CHECK_EXAMPLES = """Examples:

\b
  testbed check
  testbed check shop --json

Exit codes: 0 up to date, 1 error, 2 behind, 3 conflicts left in files.
"""

_DOCTOR_EXAMPLES = """Examples:

\b
  testbed doctor
  testbed doctor shop --json

Exit codes: 0 nothing is in the way, though there may be warnings, 1 something is.
"""

Repository = Annotated[
    Path, typer.Argument(metavar="REPO", help="The folder with the answers file.")
]
AnswersFile = Annotated[
    str | None, typer.Option(help="The name of the answers file, where there are more.")
]


@app.command(epilog=_UPDATE_EXAMPLES)
def update(
    repository: Repository = Path(),
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Not to the newest release.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="VERSION", help="In place of the recorded one."),
    ] = None,
    data: Data = None,
    data_file: DataFile = None,
    with_new: Annotated[
        bool, typer.Option(help="Add new files that are to be yours, such as examples.")
    ] = False,
    branch: Annotated[
        str | None,
        typer.Option(help="Add a commit to this branch; no work tree is touched."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, write nothing.")
    ] = False,
    show_diff: Annotated[
        bool, typer.Option("--diff", help="Show the changes line by line.")
    ] = False,
    answers_file: AnswersFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what changes as JSON.")
    ] = False,
) -> None:
    """Bring a repository to the newest version of the template, with all your edits."""
    given = {**answers_from_file(data_file), **answers_from_options(data or [])}
    project = open_project(repository, branch)
    state = read_state(project, answers_file)
    if git_version() < MERGE_TREE_SINCE:
        asked = {
            "--dry-run": dry_run,
            "--from": start,
            "--branch": branch,
            "--diff": show_diff,
            "--with-new": with_new,
            "--json": as_json,
        }
        _update_with_copier(repository, state, to, given, asked)
        return
    history = History(state.source)
    planned = None
    while planned is None:
        try:
            planned = plan_update(
                *(project, state, history),
                start=start,
                to=to,
                given=given,
                with_new=with_new,
            )
        except Unanswered as unanswered:
            if as_json or not sys.stdin.isatty():
                raise
            typer.secho(str(unanswered), fg="yellow")
            given[unanswered.name] = ask(
                unanswered.name, unanswered.question, must=True
            )
    if as_json:
        typer.echo(json.dumps(describe_update(planned, with_diff=show_diff), indent=2))
    else:
        _show(planned, show_diff=show_diff)
    if planned.conflicts and branch:
        raise UserError(
            f"nothing was written to {branch}: a commit cannot have conflicts; check"
            " the branch out and update it there"
        )
    if not dry_run and planned.changes:
        message = f"Update the test bed to {planned.new.name}"
        if kept := project.write(planned.before, planned.after, message):
            typer.echo(
                "not all of that was committed; to have it back as it was:"
                f" git restore --source={kept} -- FILE",
                err=True,
            )
    if planned.conflicts:
        if not dry_run:
            advice = "choose what is to stay there; `testbed check` finds markers left"
            typer.echo(advice, err=True)
        sys.exit(3)
    if dry_run and planned.changes:
        sys.exit(2)


def _show(planned: Update, *, show_diff: bool) -> None:
    if not planned.changes:
        typer.echo(f"Up to date: {planned.new.name}")
    elif planned.old.commit == planned.new.commit:
        typer.echo(f"{planned.new.name}, with other answers:")
    else:
        typer.echo(f"{planned.old.name} -> {planned.new.name}:")
    colours = {"added": "green", "removed": "red", "conflict": "red"}
    for path, change in planned.changes.items():
        typer.secho(f"  {change:8}  {path}", fg=colours.get(change))
    for path in planned.left_deleted:
        typer.echo(f"  deleted by you, and left so, though it has changed: {path}")
    for conflict in planned.conflicts:
        typer.secho(f"conflict: {conflict.reason}", fg="red", err=True)
    for note in planned.notes:
        typer.echo(f"answers: {note}")
    if planned.offered:
        typer.echo("new files that would be yours (--with-new adds them):")
        for path in planned.offered:
            typer.echo(f"  {path}")
    if show_diff:
        for line in planned.diff():
            typer.secho(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))


def _update_with_copier(
    repository: Path,
    state: State,
    to: str | None,
    given: dict[str, Any],
    asked: Mapping[str, object],
) -> None:
    older = ".".join(map(str, git_version()))
    typer.echo(
        f"git {older} has no `merge-tree --write-tree` (2.38 has): Copier updates,"
        " which loses edits in files that the template renames or removes",
        err=True,
    )
    for option, value in asked.items():
        if value:
            raise UserError(f"{option} needs git 2.38 or newer, and this is {older}")
    conflicts = update_with_copier(repository, state, to, given)
    for path in conflicts:
        typer.secho(f"  conflict  {path}", fg="red")
    if conflicts:
        sys.exit(3)


@app.command(epilog=_CHECK_EXAMPLES)
def check(
    repository: Repository = Path(),
    branch: Annotated[
        str | None, typer.Option(help="Look at the newest commit of this branch.")
    ] = None,
    answers_file: AnswersFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.")
    ] = False,
) -> None:
    """Tell whether a repository is behind, and which managed files were edited."""
    project = open_project(repository, branch)
    state = read_state(project, answers_file)
    result = check_project(project, state, History(state.source))
    lists = {
        "edited": result.edited,
        "missing": result.missing,
        "half_merged": result.half_merged,
    }
    if as_json:
        report = {
            "version": result.version.name,
            "newest": result.newest.name,
            "behind": result.is_behind,
            **{name: list(map(str, paths)) for name, paths in lists.items()},
        }
        typer.echo(json.dumps(report, indent=2))
    else:
        if result.is_behind:
            behind = (
                f"{result.version.name}, behind {result.newest.name}: `testbed update`"
            )
            typer.secho(behind, fg="yellow")
        else:
            typer.secho(f"Up to date: {result.version.name}", fg="green")
        for name, paths in lists.items():
            for path in paths:
                typer.echo(f"  {name.replace('_', ' '):11}  {path}")
    if result.half_merged:
        sys.exit(3)
    if result.is_behind:
        sys.exit(2)


@app.command(epilog=_DOCTOR_EXAMPLES)
def doctor(
    repository: Repository = Path(),
    answers_file: AnswersFile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON.")
    ] = False,
) -> None:
    """Look for what stands in the way of the tests, or of an update."""
    findings = []
    for finding in diagnose(repository, answers_file):
        findings.append(finding)
        if not as_json:
            colour = {"ok": "green", "warning": "yellow", "error": "red"}[finding.level]
            typer.secho(f"{finding.level:8}", fg=colour, nl=False)
            typer.echo(_for_terminal(finding.what))
            if finding.next:
                typer.echo(f"{'':8}-> {finding.next}")
    if as_json:
        typer.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    if any(finding.level == "error" for finding in findings):
        sys.exit(1)


app.command(epilog=ADOPT_EXAMPLES)(adopt)


# What typer raises for a misspelt option, and has no public name for. Its own exit code
# is 2, which tells a script that the repository is behind.
_UsageError: Any = typer.BadParameter.__base__

# Typer's answer to Ctrl-C, as shells have it.
_INTERRUPTED = 130


def _for_terminal(error: Exception | str) -> str:
    """The message, on one line that ends.

    Messages quote what users answer. What a terminal would obey rather than show, such
    as line feeds, colours and a change of direction, is spelt out.
    """
    shown = (c if c.isprintable() else ascii(c)[1:-1] for c in str(error))
    return "".join(shown)[:1000]


def run() -> None:
    """Run the command. A user's error, or git's, becomes one line and exit code 1.

    So does a misspelt option; --help tells what the other codes mean.
    """
    # In a hook or an alias of git, they lead Copier's calls to another repository.
    for name in REPOSITORY_VARIABLES:
        os.environ.pop(name, None)
        plumbum.local.env.pop(name, "")
    try:
        code = app(standalone_mode=False)
    except (UserError, GitError) as error:
        typer.secho("testbed: ", fg="red", err=True, nl=False)
        typer.echo(_for_terminal(error), err=True)
        sys.exit(1)
    except _UsageError as error:
        error.show()
        sys.exit(1)
    except OSError as error:  # a folder that cannot be written, a full disk
        typer.echo(f"testbed: {_for_terminal(error)}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        typer.echo("testbed: stopped, nothing was written", err=True)
    sys.exit(code or 0)
