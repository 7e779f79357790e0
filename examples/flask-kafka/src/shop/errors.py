"""What can go wrong, and the one place where it becomes an HTTP answer."""

import logging
from http import HTTPStatus
from typing import ClassVar

from flask import Flask, json
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

logger = logging.getLogger(__name__)


class DomainError(Exception):
    """Its message is one sentence for the client."""

    status: ClassVar[HTTPStatus]


class InvalidInputError(DomainError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class InvalidOrderError(DomainError):
    status = HTTPStatus.BAD_REQUEST


class NotAuthenticatedError(DomainError):
    status = HTTPStatus.UNAUTHORIZED


class NotFoundError(DomainError):
    status = HTTPStatus.NOT_FOUND


class ConflictError(DomainError):
    status = HTTPStatus.CONFLICT


class RatesUnavailableError(DomainError):
    status = HTTPStatus.SERVICE_UNAVAILABLE


def _answer(status: HTTPStatus, detail: str) -> Response:
    # A 401 has to name the scheme that it expects.
    challenge = {"WWW-Authenticate": "Bearer"}
    headers = challenge if status is HTTPStatus.UNAUTHORIZED else None
    body = json.dumps({"detail": detail})
    return Response(body, status, headers, mimetype="application/json")


def add_error_handlers(app: Flask) -> None:
    """Answer what goes wrong with a status and one sentence."""

    @app.errorhandler(DomainError)
    def domain_error(error: DomainError) -> Response:
        return _answer(error.status, str(error))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        # It keeps headers that belong to it, such as Allow.
        answer = error.get_response()
        answer.data = json.dumps({"detail": f"{error.name}."})
        answer.mimetype = "application/json"
        return answer

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeoutError)
    def database_unavailable(error: Exception) -> Response:
        logger.error("The database did not answer: %r", error)
        detail = "The database is not available at the moment."
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, detail)
