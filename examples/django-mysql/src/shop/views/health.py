import logging
from collections.abc import Callable
from concurrent.futures import Future, wait
from http import HTTPStatus
from threading import Thread

from django.db import connection
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .. import cache
from ..publishing import get_publisher

TIMEOUT_SECONDS = 2

logger = logging.getLogger(__name__)


def ping_database() -> None:
    """Raise unless the server answers."""
    # Every thread has a connection of its own, and nobody else would close this one.
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def start(probe: Callable[[], None]) -> Future[None]:
    """Run a probe in a thread for which nothing waits, not even the end of Python."""
    result = Future[None]()

    def run() -> None:
        try:
            probe()
        except Exception as error:
            result.set_exception(error)
        else:
            result.set_result(None)

    Thread(target=run, daemon=True).start()
    return result


def check(probes: dict[str, Callable[[], None]]) -> dict[str, str]:
    """Run all probes at once; who does not answer in time has failed."""
    answers = {name: start(probe) for name, probe in probes.items()}
    wait(answers.values(), timeout=TIMEOUT_SECONDS)
    results: dict[str, str] = {}
    for name, answer in answers.items():
        results[name] = "error"
        if not answer.done():
            logger.warning("The %s did not answer within %s s", name, TIMEOUT_SECONDS)
        elif error := answer.exception():
            logger.warning("The %s failed: %s: %s", name, type(error).__name__, error)
        else:
            results[name] = "ok"
    return results


class HealthView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        checks = check(
            {
                "database": ping_database,
                "cache": cache.ping,
                "broker": get_publisher().ping,
            }
        )
        if "error" in checks.values():
            return Response(
                {"status": "error", "checks": checks}, HTTPStatus.SERVICE_UNAVAILABLE
            )
        return Response({"status": "ok", "checks": checks})
