"""Passwords and access tokens."""

from datetime import UTC, datetime, timedelta

import jwt
from pwdlib import PasswordHash

from .errors import NotAuthenticatedError
from .settings import Settings

ALGORITHM = "HS256"

_passwords = PasswordHash.recommended()


def hash_password(password: str) -> str:
    return _passwords.hash(password)


def verify_password(password: str, password_hash: str) -> bool:
    return _passwords.verify(password, password_hash)


def create_access_token(user_id: int, settings: Settings) -> str:
    lifetime = timedelta(minutes=settings.access_token_minutes)
    claims = {"sub": str(user_id), "exp": datetime.now(UTC) + lifetime}
    return jwt.encode(claims, settings.secret_key.get_secret_value(), ALGORITHM)


def read_access_token(token: str, settings: Settings) -> int:
    """The user's id, from a token that this application signed and that still runs."""
    try:
        claims = jwt.decode(
            token,
            settings.secret_key.get_secret_value(),
            algorithms=[ALGORITHM],
            options={"require": ["sub", "exp"]},
        )
    except jwt.InvalidTokenError as error:
        raise NotAuthenticatedError("The access token is not valid.") from error
    return int(claims["sub"])
