"""Django's settings. What differs between two deployments is read from the environment.

Services have no default address: what was forgotten must fail at the start, not connect
to whatever happens to listen on this machine.
"""

import os
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

# Django imports MySQLdb, which has to be compiled.
pymysql.install_as_MySQLdb()


def required(variable: str) -> str:
    """What the environment says, which has to be something."""
    value = os.environ.get(variable)
    if not value:
        raise ImproperlyConfigured(f"The environment variable {variable} is not set.")
    return value


def database_at(url: str) -> dict[str, Any]:
    """The parts of a database's URL, as Django names them."""
    parts = urlsplit(url)
    if parts.scheme != "mysql":
        raise ImproperlyConfigured("DATABASE_URL must begin with mysql://.")
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "NAME": unquote(parts.path.removeprefix("/")),
        "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},
    }


DATABASES = {
    "default": {
        **database_at(required("DATABASE_URL")),
        "CONN_MAX_AGE": 60,  # seconds
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": required("CACHE_URL"),
        "KEY_PREFIX": os.environ.get("CACHE_PREFIX", "shop"),
        "TIMEOUT": int(os.environ.get("CACHE_TTL_SECONDS", "300")),
        # Waiting and trying again would cost more than the database that it saves.
        "OPTIONS": {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
            "retry": Retry(NoBackoff(), retries=0),
        },
    }
}

BROKER_URL = required("BROKER_URL")

EXCHANGE_RATES_URL = os.environ.get(
    "EXCHANGE_RATES_URL", "https://api.frankfurter.dev/v1"
)
EXCHANGE_RATES_TIMEOUT_SECONDS = float(
    os.environ.get("EXCHANGE_RATES_TIMEOUT_SECONDS", "2")
)

SECRET_KEY = required("SECRET_KEY")
if len(SECRET_KEY) < 32:  # HS256 wants a key at least as long as its hash.
    raise ImproperlyConfigured("SECRET_KEY must have at least 32 characters.")
ACCESS_TOKEN_LIFETIME = timedelta(
    minutes=int(os.environ.get("ACCESS_TOKEN_MINUTES", "30"))
)

ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
ROOT_URLCONF = "shop.urls"
APPEND_SLASH = False
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]

AUTH_USER_MODEL = "shop.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "shop.security.BearerAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "shop.errors.answer",
    "NON_FIELD_ERRORS_KEY": "body",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

USE_I18N = False
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    # What nobody expected comes from Django's own loggers, with its traceback.
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"shop": {"level": "INFO"}},
}
