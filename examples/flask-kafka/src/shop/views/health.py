import logging
from collections.abc import Callable
from concurrent.futures import Future, wait
from http import HTTPStatus
from threading import Thread

from flask import Blueprint, Response, current_app
from sqlalchemy import text

from ..database import db
from ..dependencies import get_cache, get_publisher, respond
from ..schemas import CheckResult, Health

TIMEOUT_SECONDS = 2

logger = logging.getLogger(__name__)
blueprint = Blueprint("health", __name__)


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


def check(probes: dict[str, Callable[[], None]]) -> dict[str, CheckResult]:
    """Run all probes at once; who does not answer in time has failed."""
    answers = {name: start(probe) for name, probe in probes.items()}
    wait(answers.values(), timeout=TIMEOUT_SECONDS)
    results: dict[str, CheckResult] = {}
    for name, answer in answers.items():
        results[name] = "error"
        if not answer.done():
            logger.warning("The %s did not answer within %s s", name, TIMEOUT_SECONDS)
        elif error := answer.exception():
            logger.warning("The %s failed: %s: %s", name, type(error).__name__, error)
        else:
            results[name] = "ok"
    return results


@blueprint.get("/health")
def show_health() -> Response:
    # A probe runs in a thread of its own, where there is no `current_app`.
    app_context = current_app.app_context

    def ping_database() -> None:
        with app_context():
            db.session.execute(text("SELECT 1"))

    checks = check(
        {
            "database": ping_database,
            "cache": get_cache().ping,
            "broker": get_publisher().ping,
        }
    )
    if "error" in checks.values():
        health = Health(status="error", checks=checks)
        return respond(health, HTTPStatus.SERVICE_UNAVAILABLE)
    return respond(Health(status="ok", checks=checks))
