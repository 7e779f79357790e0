from functools import cache
from secrets import token_urlsafe

from factory.declarations import LazyFunction, Sequence

from shop.models import User
from shop.security import hash_password

from ..support.factories import ModelFactory

PASSWORD = token_urlsafe()


@cache
def password_hash() -> str:
    """The hash of PASSWORD. Hashing is slow on purpose, so once is enough."""
    return hash_password(PASSWORD)


class UserFactory(ModelFactory[User]):
    class Meta:
        model = User

    email = Sequence(lambda n: f"user{n}@example.com")
    password_hash = LazyFunction(password_hash)
