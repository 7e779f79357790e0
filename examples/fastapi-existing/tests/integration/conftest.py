"""The fixtures of the integration tests. Yours: put your own below the import."""

from .support.plugin import *  # noqa: F403
