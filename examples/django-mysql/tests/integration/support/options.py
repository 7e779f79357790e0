"""What pytest has to know of the test bed.

Managed by Testbed: updates change this file. Nothing in the bed needs an option in the
repository's own pytest configuration.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --keep-services, where pytest knows this folder when it reads options."""
    parser.getgroup("testbed").addoption(
        "--keep-services",
        action="store_true",
        help="leave services running for the next run; TEST_KEEP_SERVICES=1 does the"
        " same where pytest does not know this option",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line(
        "markers", "commits: real commits, seen by other connections, and cleaned up"
    )
