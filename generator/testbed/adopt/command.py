"""`testbed adopt`, as it is called."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from ..errors import UserError
from ..git import git_version
from ..history import History, Version
from ..options import Data, DataFile, answers_from_file, answers_from_options, choices
from ..project import open_project
from ..template import Template, installed_template
from ..update import MERGE_TREE_SINCE
from .dependencies import refuse_broken_pyproject
from .detect import detect
from .facts import Fact
from .plan import (
    Adoption,
    answers_file,
    ignored,
    new_places,
    plan_adoption,
    refuse_what_cannot_be_undone,
    undo,
    write,
)
from .proposals import Proposals, propose
from .repository import read_repository
from .settle import Settled, ask_for, refuse_missing, settle

ADOPT_EXAMPLES = """Examples:

\b
  testbed adopt --dry-run
  testbed adopt shop
  testbed adopt shop --yes -d cache=none --patch
  testbed adopt shop --yes --json

Exit codes: 0 adopted, 1 error, 3 adopted with conflicts in files.
"""


def adopt(
    repository: Annotated[
        Path, typer.Argument(metavar="REPO", help="The folder of the project.")
    ] = Path(),
    data: Data = None,
    data_file: DataFile = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Ask nothing: leave out what is unknown."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, write nothing.")
    ] = False,
    patch: Annotated[
        bool, typer.Option("--patch", help="Change files of your own as proposed, too.")
    ] = False,
    template: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Not from this command's own.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Not its newest release.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Ask nothing; print it all as JSON.")
    ] = False,
) -> None:
    """Give a repository that exists a test bed, from what it says of itself.

    Nothing in it is run or overwritten. What it does not say for sure is asked.
    """
    given = {**answers_from_file(data_file), **answers_from_options(data or [])}
    if "starter" in given:
        raise UserError("starter is for `testbed new`: adopting brings no application")
    project = open_project(repository, None)
    file = answers_file(project)
    if git_version() < MERGE_TREE_SINCE:
        raise UserError("adopting needs git 2.38 or newer, which merges without a tree")
    version = _version(template, to)
    questions = {k: v for k, v in version.settings.items() if not k.startswith("_")}
    Template(version.source, version.name, questions).refuse_bad(given)

    texts = read_repository(repository)
    refuse_broken_pyproject(texts)
    pythons = choices(questions.get("python_versions", {}))
    reserved = _reserved(version)

    def look(given: dict[str, Any]) -> list[Fact]:
        # Not every version asks all of it.
        facts = detect(texts, given, pythons, reserved)
        return [fact for fact in facts if fact.name in questions]

    facts = look(given)
    may_ask = not (yes or as_json or dry_run)
    if not as_json:
        _show_facts(facts, given)
    if may_ask:
        answered = _ask_unknown(facts, given, questions)
        if "framework" in answered:
            # It decides what else there is to know.
            facts = look(given | answered)
            answered |= _ask_unknown(facts, given | answered, questions)
        given |= answered
        facts = [fact for fact in facts if fact.name not in answered]
    settled = settle(facts, given)
    report: dict[str, Any] = {"version": version.name, **_describe(facts, settled)}
    if settled.missing:
        if as_json:
            typer.echo(json.dumps(report, indent=2))
        refuse_missing(settled.missing, questions)

    adoption = plan_adoption(project, version, settled.answers, file)
    proposals = propose(texts, project, adoption.answers)
    if patch:
        adoption.before.update(proposals.before)
        adoption.after.update(proposals.after)
    refuse_what_cannot_be_undone(repository, adoption)
    places = new_places(repository, adoption)
    back = undo(repository, adoption, places)
    lost = ignored(repository, adoption)
    if not dry_run:
        write(repository, adoption)
    if as_json:
        report |= _describe_changes(adoption, proposals) | {
            "undo": back,
            "ignored": lost,
        }
        typer.echo(json.dumps(report, indent=2))
    else:
        _show_assumed(settled)
        _show_changes(adoption, places, version.name, dry_run=dry_run)
        _show_proposals(proposals, lost, is_applied=patch)
        if not dry_run:
            _show_next(adoption.answers, back)
    if adoption.conflicts:
        sys.exit(3)


def _version(template: str | None, to: str | None) -> Version:
    """The version to adopt: a commit. What a checkout has besides is for `new`."""
    if template:
        # As a path, it would be another one from elsewhere.
        is_path = Path(template).exists()
        history = History(str(Path(template).resolve()) if is_path else template)
        return history.version(to) if to else history.newest
    installed = installed_template()
    return History(installed.source).version(to or installed.ref)


def _reserved(version: Version) -> list[str]:
    file = version.folder / "template" / "reserved_names.yml"
    if not file.exists():
        return []
    return [str(name) for name in yaml.safe_load(file.read_text(encoding="utf-8"))]


def _ask_unknown(
    facts: list[Fact], given: dict[str, Any], questions: dict[str, Any]
) -> dict[str, Any]:
    """Ask for facts that are unknown, the framework first and then alone."""
    unknown = [fact for fact in facts if not fact.is_found]
    if unknown and not sys.stdin.isatty():
        names = ", ".join(fact.name for fact in unknown)
        raise UserError(
            f"there is no terminal to ask on for {names}: add --yes to leave out what"
            " can be, or answer with -d NAME=VALUE"
        )
    if any(fact.name == "framework" for fact in unknown):
        unknown = [fact for fact in unknown if fact.name == "framework"]
    answered: dict[str, Any] = {}
    ci = next((f.value for f in facts if f.name == "ci"), given.get("ci"))
    for fact in unknown:
        of_ci = fact.name in {"python_versions", "installer"}
        if of_ci and answered.get("ci", ci) in ([], "[]"):
            continue
        answer = ask_for(fact, questions[fact.name])
        # Empty is for the template to decide.
        if answer != "" or fact.name in {"app", "models"}:
            answered[fact.name] = answer
    return answered


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value != "" else "none"


def _show_facts(facts: list[Fact], given: dict[str, Any]) -> None:
    rows = [(name, _text(value), "as you say") for name, value in given.items()]
    for fact in facts:
        places = [str(place) for place in fact.evidence[:2]]
        if len(fact.evidence) > 2:
            places.append(f"{len(fact.evidence) - 2} more")
        why = "; ".join(filter(None, [fact.why, *places]))
        value = _text(fact.value) if fact.is_found else "?"
        if not fact.is_found and fact.candidates:
            value = "? " + " or ".join(fact.candidates)
        rows.append((fact.name, value, why))
    widths = [min(max(len(row[n]) for row in rows), 32) for n in (0, 1)]
    for name, value, why in rows:
        colour = "yellow" if value.startswith("?") else None
        typer.secho(f"  {name:{widths[0]}}  {value:{widths[1]}}  {why}", fg=colour)


def _show_assumed(settled: Settled) -> None:
    for name, value in settled.assumed.items():
        taken = "the template's default" if value is None else _text(value)
        typer.secho(f"not told, so {taken}: {name} (-d {name}=...)", fg="yellow")


def _show_changes(
    adoption: Adoption, places: list[str], version: str, *, dry_run: bool
) -> None:
    typer.echo(f"{'Would come' if dry_run else 'Came'} with {version}:")
    for path, change in adoption.changes.items():
        colour = "red" if change == "conflict" else None
        typer.secho(f"  {change:8}  {path}", fg=colour)
    for path in adoption.kept:
        typer.echo(f"  yours, and left so: {path}")
    for conflict in adoption.conflicts:
        typer.secho(f"conflict: {conflict.reason}", fg="red", err=True)


def _show_proposals(proposals: Proposals, lost: list[str], *, is_applied: bool) -> None:
    for path in lost:
        typer.secho(f"git ignores {path}: `git add --force` it", fg="yellow")
    for note in proposals.notes:
        typer.secho(f"for you: {note}", fg="yellow")
    lines = list(proposals.diff())
    if lines and not is_applied:
        typer.echo("For your own files (--patch applies it):")
    for line in lines:
        typer.secho(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))


def _show_next(answers: dict[str, Any], back: list[str]) -> None:
    tests_dir = answers["tests_dir"]
    file = f"{tests_dir}/requirements.txt"
    listed = f"$(grep -v '^#' {file})"
    install = {
        "uv": f"uv add --group integration -r {file}",
        "poetry": f"poetry add --group integration {listed} && poetry install",
        "pdm": f"pdm add -dG integration {listed}",
    }.get(answers.get("installer", ""), f"pip install -r {file}")
    typer.echo(
        f"""
Next:
  {install}
  $EDITOR {tests_dir}/wiring.py
  pytest {shlex.quote(tests_dir)}
{tests_dir}/README.md tells the rest. To take all of it back:"""
    )
    for command in back:
        typer.echo(f"  {command}")


def _describe(facts: list[Fact], settled: Settled) -> dict[str, Any]:
    return {
        "facts": {
            fact.name: {
                "found": fact.is_found,
                "value": fact.value,
                "why": fact.why,
                "candidates": list(fact.candidates),
                "evidence": [
                    {"file": each.path, "line": each.line, "words": each.words}
                    for each in fact.evidence
                ],
            }
            for fact in facts
        },
        "answers": settled.answers,
        "assumed": settled.assumed,
        "missing": [fact.name for fact in settled.missing],
    }


def _describe_changes(adoption: Adoption, proposals: Proposals) -> dict[str, Any]:
    return {
        "changes": {str(path): change for path, change in adoption.changes.items()},
        "kept": list(map(str, adoption.kept)),
        "conflicts": {str(each.path): each.reason for each in adoption.conflicts},
        "patch": list(proposals.diff()),
        "notes": proposals.notes,
    }
