"""Refuses to touch a server or a database that is not there for tests.

Managed by Testbed: updates change this file.

The bed reads TEST_* and *_IMAGE variables, never the application's own, or its .env.
It makes databases and the like under names of its own, and removes nothing else; of
databases that have numbers it takes one that it finds empty. TEST_* are for servers
that are there for tests alone. This module looks at where they are.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from .endpoints import Endpoint

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SOCKETS = {"unix", "npipe", "fd"}
_HOST_NAME = re.compile(r"[\w.-]+")
_ours: set[tuple[str, int]] = set()  # hosts and ports of servers that were admitted
_LOGIN = ("port", "user", "password", "database")

# `test`, `test_...`, `..._test`: a name that nobody gives to a production database.
_TEST_NAME = re.compile(r"^test(_|$)|_test$", re.IGNORECASE)


class NotForTests(Exception):
    """A server or database that tests must not touch; the message says what to do."""


def refuse_unless_for_tests(endpoint: Endpoint) -> None:
    """Raise NotForTests unless this is a container of ours, or clearly for tests."""
    if not endpoint.external:
        return
    service = endpoint.service
    if not _is_host(endpoint.host):
        # Without its value, in which a URL may have a password.
        raise NotForTests(
            f"{service.variable('host')} takes the name or the address of a host alone."
            f" The rest of a URL has variables of its own:"
            f" {', '.join(map(service.variable, _LOGIN))}."
        )
    if endpoint.host not in {*_LOOPBACK, *_allowed_hosts()}:
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


def refuse_docker_elsewhere(engine: str) -> None:
    """Raise NotForTests for an engine on another machine, unless that is told.

    `engine` is its address, as DOCKER_HOST and contexts have it.
    """
    address = urlsplit(engine)
    here = address.scheme in _SOCKETS or address.hostname in _LOOPBACK
    if here or os.environ.get("TEST_DOCKER_ADDRESS"):
        return
    raise NotForTests(
        f"Docker is on another machine, at {address.hostname}. If it is there for"
        " tests, set TEST_DOCKER_ADDRESS to its IPv4 address; else unset DOCKER_HOST,"
        " or choose another one with `docker context use`."
    )


def admit(server: Endpoint) -> None:
    """Let tests connect to this server of the test bed."""
    _ours.add((server.host, server.port))


def refuse_other_server(host: str, port: int) -> None:
    """Raise NotForTests unless this server is the test bed's, or is allowed."""
    if (host, port) in _ours or host in _allowed_hosts():
        return
    raise NotForTests(
        f"This test connects to a database at {host or 'a socket'}:{port}, which is"
        " not the test bed's. Lead the application to the endpoint `database`, in"
        " wiring.py. TEST_ALLOWED_HOSTS names others that are there for tests."
    )


def _is_host(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(text))
    return True


def _allowed_hosts() -> list[str]:
    return os.environ.get("TEST_ALLOWED_HOSTS", "").replace(",", " ").split()
