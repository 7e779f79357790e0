import threading
from collections.abc import Callable

import pytest

from shop.views import health


def answer() -> None:
    pass


def fail() -> None:
    raise ConnectionError("refused")


def hang() -> None:
    threading.Event().wait()


@pytest.mark.parametrize(
    ("probe", "result"),
    [(answer, "ok"), (fail, "error"), (hang, "error")],
)
def test_check_ends_in_time_whatever_the_service_does(
    monkeypatch: pytest.MonkeyPatch,
    probe: Callable[[], None],
    result: str,
) -> None:
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.1)
    assert health.check({"service": probe}) == {"service": result}
