"""Which services the tests use, and where each one is.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Service:
    """What docker-compose.test.yml says about one service.

    `version` is the major one, unless <SERVICE>_IMAGE names another image.
    `ports` maps a name to the port inside the container: `port` is where clients
    connect, every further name is a port of its own (`management_port`). With
    `advertises_port` the service tells clients its port on the host: it has to be known
    before the start, and is the same inside.
    """

    name: str
    title: str
    version: str
    ports: Mapping[str, int]
    user: str
    password: str
    database: str
    advertises_port: bool = False

    def variable(self, setting: str) -> str:
        """The environment variable of a setting: `TEST_MYSQL_HOST`."""
        return f"TEST_{self.name}_{setting}".upper()


SERVICES: Mapping[str, Service] = {
    "mysql": Service(
        name="mysql",
        title="MySQL",
        version="9",
        ports={"port": 3306},
        user="root",
        password="test",  # pragma: allowlist secret
        database="test",
    ),
    "redis": Service(
        name="redis",
        title="Redis",
        version="8",
        ports={"port": 6379},
        user="",
        password="",
        database="",
    ),
    "rabbitmq": Service(
        name="rabbitmq",
        title="RabbitMQ",
        version="4",
        ports={"port": 5672, "management_port": 15672},
        user="test",
        password="test",  # pragma: allowlist secret
        database="/",
    ),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How to reach a running service, or one database or the like on it.

    `external` is true when somebody else runs the service (TEST_<SERVICE>_HOST is set).
    """

    service: Service
    host: str
    ports: Mapping[str, int]
    user: str
    password: str = field(repr=False)
    database: str
    external: bool

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return self.ports["port"]

    def url(self, scheme: str) -> str:
        """The address as a URL; user, password and database are escaped."""
        login = quote(self.user, safe="")
        if self.password:
            login += ":" + quote(self.password, safe="")
        host = f"[{self.host}]" if ":" in self.host else self.host
        address = f"{login}@{host}" if login else host
        return f"{scheme}://{address}:{self.port}/{quote(self.database, safe='')}"

    def __str__(self) -> str:
        return f"{self.service.title} at {self.host}:{self.port}"


class BadVariable(Exception):
    """A TEST_* variable that cannot be meant so; the message says which."""


def _port(variable: str, default: int) -> int:
    value = os.environ.get(variable) or str(default)
    if not value.isdecimal():
        raise BadVariable(f'{variable} is "{value}", which is not a port number.')
    return int(value)


def external_endpoint(service: Service) -> Endpoint | None:
    """The service that TEST_<SERVICE>_HOST points at, or None where it is not set.

    _PORT, _USER, _PASSWORD and _DATABASE default to what docker-compose.test.yml says.
    """
    host = os.environ.get(service.variable("host"))
    if not host:
        return None
    return Endpoint(
        service=service,
        host=host,
        ports={
            name: _port(service.variable(name), number)
            for name, number in service.ports.items()
        },
        user=os.environ.get(service.variable("user"), service.user),
        password=os.environ.get(service.variable("password"), service.password),
        database=os.environ.get(service.variable("database"), service.database),
        external=True,
    )
