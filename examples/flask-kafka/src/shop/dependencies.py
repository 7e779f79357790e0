"""What views ask for, and how they answer."""

from http import HTTPStatus
from typing import TypeVar

from flask import Response, current_app, request
from pydantic import BaseModel, TypeAdapter, ValidationError

from .cache import Cache
from .database import db
from .errors import InvalidInputError, NotAuthenticatedError
from .exchange_rates import ExchangeRates
from .messaging import Publisher
from .models import User
from .schemas import Id
from .security import read_access_token
from .settings import Settings

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

_ID = TypeAdapter(Id)


def get_settings() -> Settings:
    """What this application was started with."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def get_exchange_rates() -> ExchangeRates:
    """Who knows what other currencies cost."""
    exchange_rates: ExchangeRates = current_app.extensions["exchange_rates"]
    return exchange_rates


def get_cache() -> Cache:
    """What is remembered between requests."""
    cache: Cache = current_app.extensions["cache"]
    return cache


def get_publisher() -> Publisher:
    """Where events are announced."""
    publisher: Publisher = current_app.extensions["publisher"]
    return publisher


def require_user() -> User:
    """Who makes this request; raises NotAuthenticatedError."""
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise NotAuthenticatedError("An access token is needed.")
    user = db.session.get(User, read_access_token(sent.token, get_settings()))
    if user is None:
        raise NotAuthenticatedError("The access token's user no longer exists.")
    return user


def read_body(model: type[ModelT]) -> ModelT:
    """The JSON of the request; raises InvalidInputError where it is no such thing."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InvalidInputError("body: A JSON object is expected.")
    return _read(TypeAdapter(model), body, "body")


def read_query(model: type[ModelT]) -> ModelT:
    """The parameters of the request; raises InvalidInputError as well."""
    return _read(TypeAdapter(model), request.args.to_dict(), "query")


def read_id(name: str, value: str) -> int:
    """An id in the path of the request; raises InvalidInputError as well."""
    return _read(_ID, value, "path", name)


def respond(model: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """An answer in JSON."""
    return Response(model.model_dump_json(), status, mimetype="application/json")


def _read(schema: TypeAdapter[T], value: object, *place: str) -> T:
    try:
        return schema.validate_python(value)
    except ValidationError as error:
        # Without the rejected values, which may be passwords.
        problems = (
            f"{'.'.join(map(str, (*place, *problem['loc'])))}: {problem['msg']}"
            for problem in error.errors()
        )
        raise InvalidInputError("; ".join(problems) + ".") from error
