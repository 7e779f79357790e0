from typing import Any

import pytest
from rest_framework.exceptions import ErrorDetail

from shop.errors import describe

REQUIRED = ErrorDetail("This field is required.")


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        (REQUIRED, "body: This field is required."),
        ({"name": [REQUIRED]}, "body.name: This field is required."),
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
