"""What can go wrong, and the one place where it becomes an HTTP answer."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.http import HttpRequest, JsonResponse
from pymysql.constants import CR, ER
from rest_framework.exceptions import (
    APIException,
    ParseError,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.response import Response
from rest_framework.views import exception_handler

logger = logging.getLogger(__name__)

# The driver calls many mistakes in statements operational errors, too.
UNAVAILABLE = {
    CR.CR_CONN_HOST_ERROR,
    CR.CR_SERVER_GONE_ERROR,
    CR.CR_SERVER_LOST,
    ER.CON_COUNT_ERROR,
    ER.SERVER_SHUTDOWN,
    ER.LOCK_WAIT_TIMEOUT,
    ER.LOCK_DEADLOCK,
}


class InvalidOrderError(APIException):
    status_code = HTTPStatus.BAD_REQUEST


class WrongCredentialsError(APIException):
    status_code = HTTPStatus.UNAUTHORIZED


class ConflictError(APIException):
    status_code = HTTPStatus.CONFLICT


class BadInputError(APIException):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY


class RatesUnavailableError(APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE


class DatabaseUnavailableError(APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database is not available at the moment."


@contextmanager
def conflict(detail: str) -> Iterator[None]:
    """Do all of it or nothing; what a constraint refuses is a conflict."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ConflictError(detail) from error


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Make an HTTP answer of what a view raised; None for what nobody expected."""
    match error:
        case ValidationError() | ParseError() | UnsupportedMediaType():
            error = BadInputError(describe(error.detail))
        case OperationalError() if error.args[0] in UNAVAILABLE:
            logger.error("The database did not answer: %r", error)
            error = DatabaseUnavailableError()
    response = exception_handler(error, context)
    if response is not None and response.status_code == HTTPStatus.UNAUTHORIZED:
        # It has to name the scheme that it expects.
        response["WWW-Authenticate"] = "Bearer"
    return response


def unknown_path(request: HttpRequest, exception: Exception) -> JsonResponse:
    """The answer where no path matches, in the form of all others."""
    detail = f"There is nothing at {request.path}."
    return JsonResponse({"detail": detail}, status=HTTPStatus.NOT_FOUND)


def describe(detail: Any) -> str:
    """One sentence without the rejected values, which may be passwords.

    It begins with the part of the request where something is wrong.
    """
    if not isinstance(detail, dict) or not detail.keys() <= {"path", "query", "body"}:
        detail = {"body": detail}
    sentence = "; ".join(_problems(detail)) + "."
    # A name in JSON may hold half of a character, which no answer can.
    return sentence.encode(errors="replace").decode()


def _problems(detail: Any, path: str = "") -> Iterator[str]:
    match detail:
        case dict():
            for name, problem in detail.items():
                yield from _problems(problem, f"{path}.{name}" if path else name)
        case list() if all(isinstance(problem, str) for problem in detail):
            for problem in detail:
                yield from _problems(problem, path)
        case list():
            yield from _problems(dict(enumerate(detail)), path)
        case _:
            problem = str(detail).rstrip(".")
            yield f"{path}: {problem}" if path else problem
