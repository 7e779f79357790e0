"""The application's settings in tests, and for mypy. Yours: change them as you like.

No test reaches a service that it has not asked for: port 1 refuses every connection.
The fixtures of the integration tests lead to real services.
"""

import os
from secrets import token_urlsafe

os.environ.update(
    DATABASE_URL="mysql://127.0.0.1:1/nowhere",
    CACHE_URL="redis://127.0.0.1:1/0",
    BROKER_URL="amqp://127.0.0.1:1",
    EXCHANGE_RATES_URL="http://127.0.0.1:1",
    SECRET_KEY=token_urlsafe(32),
)

from shop.settings import *  # noqa: F403

# Hashing is slow on purpose, which tests need not be.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
