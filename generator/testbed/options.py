"""The options that several commands have, and the questions that they ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import UserError
from .template import read_yaml

Data = Annotated[
    list[str] | None,
    typer.Option("--data", "-d", metavar="NAME=VALUE", help="Answer a question."),
]
DataFile = Annotated[
    Path | None,
    typer.Option(help="Answer questions from a YAML file; --data goes before it."),
]


def answers_from_options(options: list[str]) -> dict[str, Any]:
    """The answers that `--data` gives. Raises UserError for what is none."""
    answers = {}
    for option in options:
        name, separator, value = option.partition("=")
        if not separator:
            raise UserError(f'--data "{option}" is not NAME=VALUE')
        answers[name] = value
    return answers


def answers_from_file(file: Path | None) -> dict[str, Any]:
    """The answers of a YAML file. Raises UserError when it has none."""
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


def choices(question: Mapping[str, Any]) -> list[str]:
    """The answers that a question has; none, where any text is one."""
    offered = question.get("choices", [])
    values = offered.values() if isinstance(offered, dict) else offered
    return [str(value) for value in values]


def ask(
    name: str, question: Mapping[str, Any], default: str = "", *, must: bool = False
) -> Any:
    """Ask one of the template's questions on the terminal, until the answer is one.

    An empty answer is the default, which may be none, unless there `must` be one.
    """
    offered = choices(question)
    if question.get("multiselect"):
        return _ask_several(name, offered)
    if default not in offered and offered:
        default = ""
    words = f"{name}: {question.get('help', '')}".rstrip(": ")
    if offered:
        words += f" [{', '.join(offered)}]"
    while True:
        none = None if must and not default else default
        answer = typer.prompt(words, default=none, show_default=bool(default))
        if not offered or answer in offered or not answer:
            return answer
        typer.echo(f"{name} is one of {', '.join(offered)}")


def _ask_several(name: str, offered: list[str]) -> list[str]:
    words = f"{name}: several with commas, or nothing [{', '.join(offered)}]"
    while True:
        text: str = typer.prompt(words, default="", show_default=False)
        answers = text.replace(",", " ").split()
        if set(answers) <= set(offered):
            return answers
        typer.echo(f"{name} is of {', '.join(offered)}")
