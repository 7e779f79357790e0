import pytest

from shop.settings import Settings

# Port 1 refuses every connection, so a test that uses a service fails.
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def settings() -> Settings:
    """The application's settings, with services that cannot be reached."""
    return Settings(
        database_url=f"postgresql+psycopg://{NOWHERE}/nowhere",
        cache_url=f"redis://{NOWHERE}/0",
        broker_url=f"kafka://{NOWHERE}",
        secret_key="insecure-unit-test-key-not-a-secret",
    )
