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
    secretive = settings.model_copy(update=dict.fromkeys(urls, "amqp://me:sesame@host"))

    assert urls
    assert "sesame" not in repr(secretive)


def test_services_have_no_default_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)

    with pytest.raises(ValidationError, match="database_url"):
        Settings()
