"""The options that several commands have."""

from __future__ import annotations

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
