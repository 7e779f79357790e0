"""What the command tells a user who can do something about it."""

from __future__ import annotations


class UserError(Exception):
    """One line: what is wrong, where, and what to do. The command exits with 1."""
