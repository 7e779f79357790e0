"""All facts of a repository, in the order of the template's questions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from . import code, surroundings
from .facts import Fact, unknown
from .repository import Repository
from .services import Services

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def detect(
    repository: Repository,
    given: Mapping[str, Any] | None = None,
    pythons: list[str] = PYTHONS,
    reserved: Collection[str] = (),
) -> list[Fact]:
    """What the repository says of itself, apart from what is `given` already.

    `pythons` are those that the bed knows, `reserved` the names that no package has.
    Told is only what its framework knows: an application of Flask or FastAPI, settings
    of Django.
    """
    given = given or {}
    services = Services(repository)
    framework = code.framework(repository, services)
    name = given.get("framework", framework.value)
    project = surroundings.project_name(repository)
    app = unknown("app", "the framework is not known")
    if name in ("fastapi", "flask"):
        app = code.app(repository, name)
    ci = surroundings.ci(repository)
    facts: list[Fact | None] = [
        project,
        code.package_name(repository, str(project.value or ""), app, reserved),
        framework,
        code.database_access(repository, services) if name == "fastapi" else None,
        services.database(),
        services.cache(),
        services.broker(),
        app if name != "django" else None,
        code.models(repository) if name in ("fastapi", "flask") else None,
        surroundings.tests_dir(repository),
        code.settings_module(repository) if name == "django" else None,
        ci,
        surroundings.python_versions(repository, pythons),
        surroundings.installer(repository),
        surroundings.updates(repository, given.get("ci", ci.value)),
    ]
    return [fact for fact in facts if fact and fact.name not in given]
