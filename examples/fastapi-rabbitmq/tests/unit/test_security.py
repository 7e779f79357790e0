from datetime import timedelta

import jwt
import pytest
from pydantic import SecretStr
from time_machine import travel

from shop.errors import NotAuthenticatedError
from shop.security import (
    create_access_token,
    hash_password,
    read_access_token,
    verify_password,
)
from shop.settings import Settings


def test_password_matches_its_own_hash_only() -> None:
    password_hash = hash_password("correct horse")

    assert verify_password("correct horse", password_hash)
    assert not verify_password("battery staple", password_hash)


@pytest.mark.parametrize("password", ["correct horse", ""])
def test_nobody_has_a_password(password: str) -> None:
    assert not verify_password(password, None)


def test_token_leads_back_to_its_user(settings: Settings) -> None:
    assert read_access_token(create_access_token(7, settings), settings) == 7


def signed(settings: Settings, **claims: object) -> str:
    return jwt.encode(claims, settings.secret_key.get_secret_value(), "HS256")


def test_token_is_good_for_its_time_and_no_longer(settings: Settings) -> None:
    token = create_access_token(7, settings)

    with travel(timedelta(minutes=settings.access_token_minutes - 1)):
        assert read_access_token(token, settings) == 7
    with (
        travel(timedelta(minutes=settings.access_token_minutes)),
        pytest.raises(NotAuthenticatedError),
    ):
        read_access_token(token, settings)


def test_token_without_end_is_refused(settings: Settings) -> None:
    with pytest.raises(NotAuthenticatedError):
        read_access_token(signed(settings, sub="7"), settings)


def test_token_of_another_key_is_refused(settings: Settings) -> None:
    other = settings.model_copy(update={"secret_key": SecretStr("another-key " * 3)})

    with pytest.raises(NotAuthenticatedError):
        read_access_token(create_access_token(7, other), settings)


def test_unsigned_token_is_refused(settings: Settings) -> None:
    token = jwt.encode({"sub": "7", "exp": 2**31}, key="", algorithm="none")

    with pytest.raises(NotAuthenticatedError):
        read_access_token(token, settings)
