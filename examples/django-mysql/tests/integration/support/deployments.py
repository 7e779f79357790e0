"""Which databases and settings Django finds: those of the tests in this folder.

Managed by Testbed: updates change this file.

Django has read its settings long before a service is known. What follows puts others
in their place, before every test here; a service that the test has not asked for is
nowhere. Tests elsewhere in the repository find the settings and databases that they
always had.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.conf import UserSettingsHolder, settings
from django.core.signals import setting_changed

from .. import wiring
from .database import Databases
from .endpoints import SERVICES, Endpoint

TESTS = Path(__file__).parents[1]


def nowhere(name: str) -> Endpoint:
    """Where a service is for tests that have not asked for it."""
    service = SERVICES[name]
    return Endpoint(
        service=service,
        host="127.0.0.1",
        ports=dict.fromkeys(service.ports, 1),  # which refuses every connection
        user=service.user,
        password=service.password,
        database=service.database,
        external=False,
    )


class Deployment:
    """The databases and settings that Django finds.

    The settings lie below those that fixtures and `override_settings` put in force.
    """

    key = pytest.StashKey["Deployment"]()

    def __init__(self) -> None:
        self.databases: Databases | None = None
        self.with_services: dict[str, Any] | None = None
        self.without_services = wiring.settings(
            cache=nowhere("redis"),
            broker=nowhere("rabbitmq"),
        )
        self._in_force: dict[str, Any] = {}
        self._layer = UserSettingsHolder(vars(settings)["_wrapped"])
        vars(settings)["_wrapped"] = self._layer

    def prepare_for(self, item: pytest.Item) -> None:
        """Put in force what a test is to find, before its first fixture."""
        ours = item.path.is_relative_to(TESTS)
        if self.databases:
            self.databases.put_in_place(ours)
        if not ours:
            self.use({})
        elif self.with_services and "application" in getattr(item, "fixturenames", ()):
            self.use(self.with_services)
        else:
            self.use(self.without_services)

    def use(self, values: dict[str, Any]) -> None:
        """Put settings in force, in the place of those that were before."""
        if values is self._in_force:
            return
        for name in self._in_force.keys() | values.keys():
            vars(self._layer).pop(name, None)
            if name in values:
                setattr(self._layer, name, values[name])
            vars(settings).pop(name, None)  # where Django remembers it
            setting_changed.send(
                sender=UserSettingsHolder,
                setting=name,
                value=getattr(settings, name, None),
                enter=name in values,
            )
        self._in_force = values


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Prepare for every test, those elsewhere in the repository as well."""
    if deployment := item.config.stash.get(Deployment.key, None):
        deployment.prepare_for(item)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let `commits` overrule a mark `django_db` of the whole module."""
    for item in items:
        if item.get_closest_marker("commits") and item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(transaction=True), append=False)
