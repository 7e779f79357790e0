"""What is known about a repository, and where it says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Evidence:
    """A place in the repository, and what is there in a few words; line 0 is all."""

    path: str
    line: int
    words: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        # A terminal would obey what else the name of a file can have in it.
        return "".join(c for c in f"{where} ({self.words})" if c.isprintable())


@dataclass(frozen=True)
class Fact:
    """The answer to a question of the template, as the repository gives it.

    Where `is_found` is false, `why` tells what is missing, and `candidates` are the
    answers that it could have.
    """

    name: str
    is_found: bool
    value: Any
    evidence: tuple[Evidence, ...]
    why: str = ""
    candidates: tuple[str, ...] = ()


Seen = Mapping[str, list[Evidence]]


def found(name: str, value: Any, evidence: Iterable[Evidence]) -> Fact:
    """A fact that the repository tells."""
    return Fact(name, True, value, tuple(evidence))


def unknown(name: str, why: str, seen: Seen | None = None) -> Fact:
    """A fact that it does not tell, with the answers that were `seen` nevertheless."""
    evidence = tuple(places[0] for places in (seen or {}).values() if places)
    return Fact(name, False, None, evidence, why, tuple(seen or {}))


def agreed(name: str, seen: Seen, nothing: str) -> Fact:
    """The one answer that was seen. Of none or several, it is unknown."""
    if len(seen) == 1:
        ((value, evidence),) = seen.items()
        return found(name, value, evidence)
    return unknown(name, "more than one is there" if seen else nothing, seen)
