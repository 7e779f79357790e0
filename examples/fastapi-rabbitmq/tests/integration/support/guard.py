"""Refuses to touch a server or a database that is not there for tests.

Managed by Testbed: updates change this file.

The bed reads TEST_* variables only, never the application's own DATABASE_URL or .env.
It makes databases and the like under names of its own, and removes nothing else; of
databases that have numbers it takes one that it finds empty. TEST_* are for servers
that are there for tests alone. This module looks at where they are.
"""

from __future__ import annotations

import os
import re

from .endpoints import Endpoint

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# `test`, `test_...`, `..._test`: a name that nobody gives to a production database.
_TEST_NAME = re.compile(r"^test(_|$)|_test$", re.IGNORECASE)


class NotForTests(Exception):
    """A server or database that tests must not touch; the message says what to do."""


def refuse_unless_for_tests(endpoint: Endpoint) -> None:
    """Raise NotForTests unless this is a container of ours, or clearly for tests."""
    if not endpoint.external:
        return
    service = endpoint.service
    allowed = os.environ.get("TEST_ALLOWED_HOSTS", "").replace(",", " ").split()
    if endpoint.host not in {*_LOOPBACK, *allowed}:
        raise NotForTests(
            f"{service.variable('host')} is {endpoint.host}, which is not this machine."
            f" If that server is there for tests, say so:"
            f" TEST_ALLOWED_HOSTS={endpoint.host}"
        )
    if service.database.startswith("test") and not _TEST_NAME.search(endpoint.database):
        raise NotForTests(
            f'{service.variable("database")} is "{endpoint.database}", which does not'
            " look like a database for tests: its name must be test, or start with"
            " test_ or end with _test."
        )
