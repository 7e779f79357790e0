from datetime import timedelta
from secrets import token_urlsafe

import jwt
import pytest
from django.conf import settings
from pytest_django import Settings
from rest_framework.exceptions import AuthenticationFailed
from time_machine import travel

from shop.security import create_access_token, read_access_token


def test_token_leads_back_to_its_user() -> None:
    assert read_access_token(create_access_token(7)) == 7


def signed(**claims: object) -> str:
    return jwt.encode(claims, settings.SECRET_KEY, "HS256")


def test_token_is_good_for_its_time_and_no_longer() -> None:
    token = create_access_token(7)
    lifetime = settings.ACCESS_TOKEN_LIFETIME

    with travel(lifetime - timedelta(minutes=1)):
        assert read_access_token(token) == 7
    with travel(lifetime), pytest.raises(AuthenticationFailed):
        read_access_token(token)


def test_token_without_end_is_refused() -> None:
    with pytest.raises(AuthenticationFailed):
        read_access_token(signed(sub="7"))


def test_token_of_another_key_is_refused(settings: Settings) -> None:
    token = create_access_token(7)
    settings.SECRET_KEY = token_urlsafe(32)

    with pytest.raises(AuthenticationFailed):
        read_access_token(token)


def test_unsigned_token_is_refused() -> None:
    token = jwt.encode({"sub": "7", "exp": 2**31}, key="", algorithm="none")

    with pytest.raises(AuthenticationFailed):
        read_access_token(token)
