import runpy
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from shop import settings


def load() -> dict[str, Any]:
    """The settings as a new process reads them."""
    return runpy.run_path(settings.__file__)


def test_short_key_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "too-short-to-be-a-key")

    with pytest.raises(ImproperlyConfigured, match="at least 32") as refusal:
        load()

    assert "too-short" not in str(refusal.value)


def test_services_have_no_default_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")

    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        load()


@pytest.mark.parametrize("url", ["", "db.example.com/shop", "sqlite:///shop"])
def test_no_other_database_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        load()


def test_a_url_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "mysql://ada:p%40ss@db.example.com:99/shop?option=%2Fca.pem"
    monkeypatch.setenv("DATABASE_URL", url)

    database = load()["DATABASES"]["default"]

    assert (database["USER"], database["PASSWORD"]) == ("ada", "p@ss")
    assert (database["HOST"], database["PORT"]) == ("db.example.com", 99)
    assert database["NAME"] == "shop"
    assert database["OPTIONS"] == {"connect_timeout": 5, "option": "/ca.pem"}
