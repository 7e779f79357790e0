"""From facts to answers: what is found, given and asked, and what is left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import UserError
from ..options import ask, choices
from .facts import Fact

# What a bed cannot be without, and is not guessed.
NEEDED = {"framework", "database_access", "database", "tests_dir", "settings_module"}
# What it is without.
_WITHOUT: dict[str, Any] = {
    "cache": "none",
    "broker": "none",
    "app": "",
    "models": "",
    "ci": [],
}
# What CI alone is asked.
_OF_CI = {"python_versions", "installer"}

Questions = Mapping[str, Mapping[str, Any]]


@dataclass
class Settled:
    """The answers; and the facts that are unknown, which are `assumed` or `missing`.

    `assumed` maps them to what was taken; None is the default of the template.
    """

    answers: dict[str, Any]
    assumed: dict[str, Any] = field(default_factory=dict)
    missing: list[Fact] = field(default_factory=list)


def settle(facts: list[Fact], given: Mapping[str, Any]) -> Settled:
    """Answers without asking: what is not told is left out, where that can be."""
    settled = Settled({"starter": False, **given})
    for fact in facts:
        if fact.name in _OF_CI and settled.answers.get("ci") in ([], "[]"):
            continue
        if fact.is_found:
            settled.answers[fact.name] = fact.value
        elif fact.name in NEEDED:
            settled.missing.append(fact)
        elif fact.name in _WITHOUT:
            settled.assumed[fact.name] = _WITHOUT[fact.name]
        elif fact.name == "project_name" and fact.candidates:
            settled.assumed[fact.name] = fact.candidates[0]
        else:
            settled.assumed[fact.name] = None
    settled.answers |= {n: v for n, v in settled.assumed.items() if v is not None}
    return settled


def refuse_missing(missing: list[Fact], questions: Questions) -> None:
    """Raise UserError for the first fact that is missing, with what answers it."""
    if not missing:
        return
    fact = missing[0]
    offered = choices(questions.get(fact.name, {})) or list(fact.candidates)
    seen = f" ({', '.join(fact.candidates)})" if fact.candidates else ""
    example = " or ".join(f"-d {fact.name}={value}" for value in offered)
    raise UserError(
        f"which {fact.name}? {fact.why}{seen}: answer it with"
        f" {example or f'-d {fact.name}=...'}"
    )


def ask_for(fact: Fact, question: Mapping[str, Any]) -> Any:
    """Ask on the terminal for what the repository does not tell."""
    default = str(_WITHOUT.get(fact.name) or (fact.candidates or [""])[0])
    # Without a default, an empty answer is asked again.
    must = fact.name in NEEDED and not default
    return ask(fact.name, question, default, must=must)
