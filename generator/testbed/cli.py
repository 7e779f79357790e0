"""The `testbed` command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from .errors import UserError
from .new import render_new
from .template import installed_template, read_yaml

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
"""


@app.callback()
def main() -> None:
    """An integration-test bed for a Python web repository, and its upkeep."""


@app.command(epilog=_NEW_EXAMPLES)
def new(
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="A folder that is new or empty.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option("--data", "-d", metavar="NAME=VALUE", help="Answer a question."),
    ] = None,
    data_file: Annotated[
        Path | None,
        typer.Option(help="Answer questions from a YAML file; --data goes before it."),
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: take the defaults.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Ask nothing; print what was made as JSON.")
    ] = False,
) -> None:
    """Render a repository with a test bed into a new folder."""
    answers = {**_answers_from_file(data_file), **_answers_from_options(data or [])}
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


def _answers_from_options(options: list[str]) -> dict[str, Any]:
    answers = {}
    for option in options:
        name, separator, value = option.partition("=")
        if not separator:
            raise UserError(f'--data "{option}" is not NAME=VALUE')
        answers[name] = value
    return answers


def _answers_from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not YAML: {error}") from error
    answers = read_yaml(text, str(file))
    if not isinstance(answers, dict):
        raise UserError(f"{file} must map names of questions to answers")
    return answers


def _for_terminal(error: Exception) -> str:
    """The message, on one line that ends.

    Messages quote what users answer. What a terminal would obey rather than show, such
    as line feeds, colours and a change of direction, is spelt out.
    """
    shown = (c if c.isprintable() else ascii(c)[1:-1] for c in str(error))
    return "".join(shown)[:1000]


def run() -> None:
    """Run the command. A UserError becomes one line and exit code 1."""
    try:
        app()
    except UserError as error:
        typer.secho("testbed: ", fg="red", err=True, nl=False)
        typer.echo(_for_terminal(error), err=True)
        sys.exit(1)
    except OSError as error:  # a folder that cannot be written, a full disk
        typer.echo(f"testbed: {_for_terminal(error)}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print("testbed: stopped, nothing was written", file=sys.stderr)
        sys.exit(130)
