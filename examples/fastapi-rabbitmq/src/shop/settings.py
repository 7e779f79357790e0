"""Everything that differs between two deployments, read from the environment."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

# The address of a service may contain its password.
Url = Annotated[str, Field(repr=False)]


class DatabaseSettings(BaseSettings):
    """The field `database_url` is the variable `DATABASE_URL`, and so on.

    Services have no default address: what was forgotten must fail at the start, not
    connect to whatever happens to listen on this machine.
    """

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: Url


class Settings(DatabaseSettings):
    """What the application needs; migrations need the database alone."""

    cache_url: Url
    broker_url: Url
    exchange_rates_url: Url = "https://api.frankfurter.dev/v1"
    exchange_rates_timeout_seconds: PositiveFloat = 2
    # HS256 wants a key at least as long as its hash.
    secret_key: Annotated[SecretStr, Field(min_length=32)]
    access_token_minutes: PositiveInt = 30
    cache_prefix: str = "shop:"
    cache_ttl_seconds: PositiveInt = 300
    # How often the worker relays events, and how old they are then: younger ones are
    # still with requests, which give up after 5 seconds.
    relay_seconds: PositiveFloat = 10
