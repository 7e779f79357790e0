"""The seam to this repository, written by hand."""

from .support.endpoints import Endpoint


def migrate(database: Endpoint) -> None:
    """Not called: pytest-django migrates."""
