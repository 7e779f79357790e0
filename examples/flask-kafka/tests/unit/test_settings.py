from pathlib import Path
from secrets import token_urlsafe

import pytest
from pydantic import ValidationError

from shop.settings import Settings


def test_short_key_is_refused_and_not_shown(settings: Settings) -> None:
    given = settings.model_dump() | {"secret_key": "too-short-to-be-a-key"}

    with pytest.raises(ValidationError, match="at least 32") as refusal:
        Settings(**given)

    assert "too-short" not in str(refusal.value)


def test_passwords_in_addresses_are_not_shown(settings: Settings) -> None:
    urls = {name for name in Settings.model_fields if name.endswith("_url")}
    password = token_urlsafe()
    url = f"amqp://me:{password}@host"
    secretive = settings.model_copy(update=dict.fromkeys(urls, url))

    assert urls
    assert password not in repr(secretive)


def test_the_developers_own_services_are_not_those_of_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    own = {
        name.upper(): "db.example.com"
        for name in Settings.model_fields
        if name.endswith("_url")
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".env").write_text("\n".join(map("=".join, own.items())))
    monkeypatch.chdir(tmp_path)

    settings = request.getfixturevalue("settings")

    assert own
    assert "db.example.com" not in str(settings.model_dump())


@pytest.mark.parametrize("visit", ["first", "second"])
def test_what_a_test_sets_is_gone_after_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, visit: str
) -> None:
    given = settings.model_dump(exclude={"access_token_minutes"})
    assert Settings(**given).access_token_minutes == 30

    monkeypatch.setenv("ACCESS_TOKEN_MINUTES", "1")

    assert Settings(**given).access_token_minutes == 1


def test_services_have_no_default_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)

    with pytest.raises(ValidationError, match="database_url"):
        Settings()
