from typing import Any

import pytest
from django.db import OperationalError
from pymysql.constants import CR, ER
from rest_framework.exceptions import ErrorDetail

from shop.errors import answer, describe

REQUIRED = ErrorDetail("This field is required.")


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        (REQUIRED, "body: This field is required."),
        ({"name": [REQUIRED]}, "body.name: This field is required."),
        ({"\ud800": [REQUIRED]}, "body.?: This field is required."),
        ({"query": {"page": [REQUIRED]}}, "query.page: This field is required."),
        (
            {"lines": [{}, {"quantity": [REQUIRED], "product_id": [REQUIRED]}]},
            "body.lines.1.quantity: This field is required;"
            " body.lines.1.product_id: This field is required.",
        ),
    ],
)
def test_whatever_is_wrong_is_one_sentence(detail: Any, sentence: str) -> None:
    assert describe(detail) == sentence


@pytest.mark.parametrize("code", [CR.CR_CONN_HOST_ERROR, ER.LOCK_DEADLOCK])
def test_a_database_that_is_away_is_not_available(code: int) -> None:
    response = answer(OperationalError(code, "in words"), {})

    assert response is not None
    assert response.status_code == 503


def test_a_mistake_in_a_statement_is_left_to_be_logged() -> None:
    assert answer(OperationalError(ER.BAD_FIELD_ERROR, "Unknown column"), {}) is None
