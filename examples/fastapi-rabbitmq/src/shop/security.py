"""Passwords and access tokens."""

from datetime import UTC, datetime, timedelta

import jwt
from pwdlib import PasswordHash

from .errors import NotAuthenticatedError
from .settings import Settings

ALGORITHM = "HS256"

_passwords = PasswordHash.recommended()
_NOBODYS_HASH = _passwords.hash("")


def hash_password(password: str) -> str:
    """What may be stored of a password."""
    return _passwords.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Tell whether it is the password; without a hash, it is not.

    That takes as long, or the time of an answer would tell who is registered.
    """
    matches = _passwords.verify(password, password_hash or _NOBODYS_HASH)
    return matches and password_hash is not None


def create_access_token(user_id: int, settings: Settings) -> str:
    """A token that says, for a while, who makes a request."""
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
