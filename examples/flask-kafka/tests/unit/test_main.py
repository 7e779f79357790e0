import pytest
from flask import Flask

from shop.main import create_app
from shop.settings import Settings


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


def test_starts_twice_without_any_service(app: Flask, settings: Settings) -> None:
    for each in (app, create_app(settings)):
        assert each.test_client().get("/health").status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/products", None, 405),
        ("POST", "/users", "{", 422),
        ("GET", "/users/me", None, 401),
        ("GET", "/products", None, 503),
    ],
)
def test_answers_every_error_as_one_sentence(
    app: Flask, method: str, path: str, body: str | None, status: int
) -> None:
    answer = app.test_client().open(
        path, method=method, data=body, content_type="application/json"
    )
    assert answer.status_code == status
    assert answer.get_json().keys() == {"detail"}
    assert answer.get_json()["detail"].endswith(".")
