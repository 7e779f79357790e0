import pytest
from pydantic import SecretStr

from shop.settings import Settings

# Port 1 refuses every connection, so a test that uses a service fails.
NOWHERE = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests find the same environment on every machine."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def settings() -> Settings:
    """The application's settings, with services that cannot be reached."""
    return Settings(
        database_url=f"postgresql+psycopg://{NOWHERE}/nowhere",
        cache_url=f"redis://{NOWHERE}/0",
        broker_url=f"kafka://{NOWHERE}",
        exchange_rates_url=f"http://{NOWHERE}",
        secret_key=SecretStr("insecure-unit-test-key-not-a-secret"),
    )
