import os
import runpy
import subprocess
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import quote

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


def test_the_developers_own_database_is_not_that_of_tests() -> None:
    tell = "import settings_for_tests as s; print(s.DATABASES['default']['HOST'])"
    own = {
        "DATABASE_URL": "mysql://db.example.com/shop",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    told = subprocess.run(
        [sys.executable, "-c", tell],
        env=os.environ | own,
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout == "127.0.0.1\n"


@pytest.mark.parametrize("visit", ["first", "second"])
def test_what_a_test_sets_is_gone_after_it(
    monkeypatch: pytest.MonkeyPatch, visit: str
) -> None:
    assert load()["ACCESS_TOKEN_LIFETIME"] == timedelta(minutes=30)

    monkeypatch.setenv("ACCESS_TOKEN_MINUTES", "1")

    assert load()["ACCESS_TOKEN_LIFETIME"] == timedelta(minutes=1)


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
    url = f"mysql://ada:{quote('p@ss')}@db.example.com:99/shop?option=%2Fca.pem"
    monkeypatch.setenv("DATABASE_URL", url)

    database = load()["DATABASES"]["default"]

    assert (database["USER"], database["PASSWORD"]) == ("ada", "p@ss")
    assert (database["HOST"], database["PORT"]) == ("db.example.com", 99)
    assert database["NAME"] == "shop"
    assert database["OPTIONS"] == {"connect_timeout": 5, "option": "/ca.pem"}
