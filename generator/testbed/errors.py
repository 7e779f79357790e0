"""What the command tells a user who can do something about it."""

from __future__ import annotations

import re


class UserError(Exception):
    """One line: what is wrong, where, and what to do. The command exits with 1."""


def one_line(error: Exception) -> str:
    """What Copier says of an answer; our validators name the question themselves."""
    text = " ".join(str(error).split())
    return re.sub(r"^Validation error for question '\w+': ", "", text)
