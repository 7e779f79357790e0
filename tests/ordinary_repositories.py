"""The repositories of tests/ordinary, which were not made for the bed.

All that is written by hand for it is their `tests/integration/wiring.py`, in those
where the answers do not say enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "ordinary"


@dataclass(frozen=True)
class Ordinary:
    """A repository, and what it answers."""

    name: str
    answers: dict[str, object]
    # What it has installed beside the plugins of the bed.
    plugins: list[str] = field(default_factory=list)
    # Its tests that need no service.
    elsewhere: str = "tests/unit"

    @property
    def path(self) -> Path:
        return FOLDER / self.name

    def with_bed(self, render: Callable[..., Path], **more: object) -> Path:
        """A copy of it, with a bed; `more` are further answers."""
        nothing = {"starter": False, "cache": "none", "broker": "none"}
        return render(over=self.path, **{**nothing, **self.answers, **more})


REPOSITORIES = [
    Ordinary(
        "fastapi_tasks",
        {"app": "app.main:app", "models": "app.db:Base"},
    ),
    Ordinary(
        "fastapi_notes",
        {"app": "notes.api:create_app", "cache": "redis"},
        plugins=["pytest_asyncio.plugin"],
    ),
    Ordinary(
        "flask_guestbook",
        {
            "framework": "flask",
            "app": "app:app",
            "models": "models:Base",
            "broker": "rabbitmq",
        },
        elsewhere="tests/test_pages.py",
    ),
    Ordinary(
        "flask_inventory",
        {"framework": "flask", "app": "inventory:create_app", "database": "mysql"},
    ),
    Ordinary(
        "django_blog",
        {
            "framework": "django",
            "settings_module": "config.settings",
            "cache": "redis",
        },
        plugins=["django"],
    ),
    Ordinary(
        "django_library",
        {
            "framework": "django",
            "settings_module": "mysite.settings",
            "database": "mysql",
        },
        plugins=["django"],
        elsewhere="catalog",
    ),
]
