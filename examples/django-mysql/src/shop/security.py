"""Access tokens."""

from datetime import UTC, datetime

import jwt
from django.conf import settings
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from .models import User

ALGORITHM = "HS256"


class AuthenticatedRequest(Request):
    """A request of a view that wants to know who asks."""

    user: User


class BearerAuthentication(BaseAuthentication):
    """Knows who asks by the access token in the header."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            return None
        user = User.objects.filter(pk=read_access_token(token)).first()
        if user is None:
            raise AuthenticationFailed("The access token's user no longer exists.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def create_access_token(user_id: int) -> str:
    """A token that tells who its bearer is, for as long as the settings say."""
    claims = {
        "sub": str(user_id),
        "exp": datetime.now(UTC) + settings.ACCESS_TOKEN_LIFETIME,
    }
    return jwt.encode(claims, settings.SECRET_KEY, ALGORITHM)


def read_access_token(token: str | bytes) -> int:
    """The user's id, from a token that this application signed and that still runs."""
    try:
        claims = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=[ALGORITHM],
            options={"require": ["sub", "exp"]},
        )
    except jwt.InvalidTokenError as error:
        raise AuthenticationFailed("The access token is not valid.") from error
    return int(claims["sub"])
