"""The application under test: Django, led to the services of the test bed.

Managed by Testbed: updates change this file. Which settings lead to a service is for
you to say, in ../wiring.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from .. import wiring
from .database import Databases
from .deployments import Deployment
from .endpoints import Endpoint
from .faults import Faults
from .statements import forget


@pytest.fixture(scope="session", autouse=True)
def deployment(
    request: pytest.FixtureRequest, django_test_environment: None
) -> Iterator[Deployment]:
    """What Django finds in these tests, from the first of them on."""
    deployment = Deployment()
    request.config.stash[Deployment.key] = deployment
    deployment.use(deployment.without_services)
    yield deployment
    deployment.use({})


@pytest.fixture(scope="session")
def django_db_setup(deployment: Deployment, database: Endpoint) -> Iterator[None]:
    """Use the database of this process, where pytest-django would make its own."""
    forget()  # what migrations have run
    databases = Databases(database)
    deployment.databases = databases
    databases.put_in_place(True)
    yield
    databases.put_in_place(False)
    databases.close()


@pytest.fixture(scope="session")
def service_settings(
    deployment: Deployment,
    cache: Endpoint,
    broker: Endpoint,
) -> dict[str, Any]:
    """The settings that lead the application to its services."""
    deployment.with_services = wiring.settings(
        cache=cache,
        broker=broker,
    )
    deployment.use(deployment.with_services)
    return deployment.with_services


@pytest.fixture
def application(deployment: Deployment, service_settings: dict[str, Any]) -> None:
    """The application, led to its services."""
    deployment.use(service_settings)


@pytest.fixture
def proxied_application(
    deployment: Deployment,
    service_settings: dict[str, Any],
    application: None,
    db: None,
    proxies: Faults,
) -> Iterator[None]:
    """The application, and the database, led to the proxies of `faults`."""
    databases = Databases(proxies.database.endpoint)
    databases.put_in_place(True)
    deployment.use(
        wiring.settings(
            cache=proxies.cache.endpoint,
            broker=proxies.broker.endpoint,
        )
    )
    yield
    deployment.use(service_settings)
    databases.put_in_place(False)
    databases.close()


@pytest.fixture
def client(application: None, db: None) -> Client:
    """An HTTP client of the application; nothing goes over the network."""
    return wiring.create_client()
