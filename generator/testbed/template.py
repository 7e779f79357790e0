"""Where the template is, and what it asks."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

import yaml

from .errors import UserError

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parents[1]

_YES_OR_NO = {"true", "yes", "y", "on", "false", "no", "n", "off"}


@dataclass(frozen=True)
class Template:
    """A version of the template.

    `source` is a path or an address as Copier takes it, `ref` a git revision of it.
    `questions` maps the name of each question and computed value to its definition.
    """

    source: str
    ref: str
    questions: dict[str, dict[str, Any]]

    @property
    def answerable(self) -> list[str]:
        """The names that a user may answer; all others are computed."""
        return [
            name
            for name, question in self.questions.items()
            if question.get("when") is not False
        ]

    def refuse_bad(self, answers: dict[str, Any]) -> None:
        """Raise UserError for what Copier would let pass, or not report in one line.

        It ignores a name that is no question, takes anything for yes, and YAML's `no`
        for the text `False`, and shows a traceback for some texts that are not YAML.
        """
        for name, answer in answers.items():
            if name not in self.answerable:
                reason = "is computed" if name in self.questions else "is no question"
                known = ", ".join(self.answerable)
                raise UserError(f'"{name}" {reason}; the questions are {known}')
            _refuse_bad_type(name, self.questions[name], answer)


def _refuse_bad_type(name: str, question: dict[str, Any], answer: Any) -> None:
    kind = question["type"]
    if question.get("multiselect"):
        if isinstance(answer, str):
            answer = read_yaml(answer, name)
        # Of texts and numbers: a list in a list may have itself in it.
        if not isinstance(answer, list) or any(
            isinstance(each, (list, dict)) for each in answer
        ):
            example = yaml.safe_dump(question["default"], default_flow_style=True)
            raise UserError(f"{name} must be a list, such as {example.strip()}")
    elif not isinstance(answer, str):
        # Not shown: with YAML's aliases, a short file can hold a huge answer.
        if kind == "str":
            raise UserError(f"{name} must be text: write it in quotes")
        if kind == "bool" and not isinstance(answer, bool):
            raise UserError(f"{name} must be true or false")
        if kind == "int" and type(answer) is not int:
            raise UserError(f"{name} must be a whole number")
    elif kind == "bool" and answer.lower() not in _YES_OR_NO:
        raise UserError(f'{name} must be true or false, not "{answer}"')
    elif kind == "int" and not answer.isdecimal():
        raise UserError(f'{name} must be a whole number, not "{answer}"')
    elif kind == "yaml":
        read_yaml(answer, name)


def read_yaml(text: str, name: str) -> Any:
    """What the text holds. Raises UserError, with `name` for the text, if not YAML."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{name} is not YAML: {reason}") from error
    except Exception as error:
        # PyYAML does not catch what fails in it: `!!bool x` is a KeyError, `[[[...` a
        # RecursionError.
        raise UserError(f"{name} is not YAML that can be read") from error


def installed_template() -> Template:
    """The template that belongs to this command: its own checkout, or its release."""
    if (_CHECKOUT / "copier.yml").exists():
        # HEAD and what is not committed; left alone, Copier takes the newest tag.
        return Template(str(_CHECKOUT), "HEAD", _questions(_CHECKOUT / "copier.yml"))
    release = version("copier-testbed")
    urls = metadata("copier-testbed").get_all("Project-URL") or []
    source = next(url.split(", ")[1] for url in urls if url.startswith("Template, "))
    return Template(source, f"v{release}", _questions(_PACKAGE / "copier.yml"))


def _questions(file: Path) -> dict[str, dict[str, Any]]:
    keys = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: value for name, value in keys.items() if not name.startswith("_")}
