import logging
from io import StringIO

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from shop.views.health import HealthView


def test_django_has_nothing_to_complain_about() -> None:
    # Without databases: Django 6.1 asks their servers what they can.
    call_command("check", fail_level="WARNING", databases=[])


def test_an_unknown_path_is_not_found_in_one_sentence() -> None:
    answer = APIClient().get("/nowhere")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is nothing at /nowhere."}


def test_an_answer_to_a_client_error_is_one_sentence() -> None:
    client = APIClient()

    for answer in (
        client.get("/users/me"),
        client.put("/users"),
        client.post("/users", "{", content_type="application/json"),
        client.post("/users", "email", content_type="text/plain"),
    ):
        assert set(answer.json()) == {"detail"}
        assert answer.json()["detail"].endswith(".")


def test_what_nobody_expected_is_logged_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("something is broken")

    monkeypatch.setattr(HealthView, "get", fail)
    written = StringIO()
    for handler in logging.getLogger().handlers:
        if handler.name == "console":
            monkeypatch.setattr(handler, "stream", written)

    answer = APIClient(raise_request_exception=False).get("/health")

    assert answer.status_code == 500
    assert "broken" not in str(answer.json())
    assert "RuntimeError: something is broken" in written.getvalue()


def test_an_unknown_host_is_refused_as_json() -> None:
    answer = APIClient().get("/health", headers={"Host": "elsewhere.example"})

    assert answer.status_code == 400
    assert answer.json()
