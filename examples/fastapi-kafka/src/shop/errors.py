"""What can go wrong, and the one place where it becomes an HTTP answer."""

import logging
from http import HTTPStatus
from typing import ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

logger = logging.getLogger(__name__)


class DomainError(Exception):
    """Its message is one sentence for the client."""

    status: ClassVar[HTTPStatus]


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


def _answer(status: HTTPStatus, detail: str) -> JSONResponse:
    # A 401 has to name the scheme that it expects.
    challenge = {"WWW-Authenticate": "Bearer"}
    headers = challenge if status is HTTPStatus.UNAUTHORIZED else None
    return JSONResponse({"detail": detail}, status, headers)


def _describe(error: RequestValidationError) -> str:
    """One sentence without the rejected values, which may be passwords."""
    problems = (
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors()
    )
    return "; ".join(problems) + "."


def add_error_handlers(app: FastAPI) -> None:
    """Answer what goes wrong with a status and one sentence."""

    @app.exception_handler(DomainError)
    async def domain_error(_: Request, error: DomainError) -> JSONResponse:
        return _answer(error.status, str(error))

    @app.exception_handler(RequestValidationError)
    async def bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, _describe(error))

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeoutError)
    async def database_unavailable(_: Request, error: Exception) -> JSONResponse:
        logger.error("The database did not answer: %r", error)
        detail = "The database is not available at the moment."
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, detail)
