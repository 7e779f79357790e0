from secrets import token_urlsafe

from factory.declarations import Sequence
from factory.django import Password

from shop.models import User

from ..support.factories import ModelFactory

PASSWORD = token_urlsafe()


class UserFactory(ModelFactory[User]):
    class Meta:
        model = User

    email = Sequence(lambda n: f"user{n}@example.com")
    password = Password(PASSWORD)
