import pytest
from pydantic import ValidationError

from shop.events import OrderCreated


def test_event_survives_the_journey() -> None:
    sent = OrderCreated(order_id=1, user_id=2, total_cents=300)

    assert OrderCreated.model_validate_json(sent.model_dump_json()) == sent


def test_every_event_has_its_own_id() -> None:
    one, other = (OrderCreated(order_id=1, user_id=2, total_cents=3) for _ in range(2))

    assert one.id != other.id


@pytest.mark.parametrize("body", [b"", b"no json", b"\xff", b"{}", b"[]"])
def test_poison_is_recognised(body: bytes) -> None:
    with pytest.raises(ValidationError):
        OrderCreated.model_validate_json(body)


def test_fields_of_a_newer_publisher_are_ignored() -> None:
    body = '{"order_id": 1, "user_id": 2, "total_cents": 3, "currency": "EUR"}'

    assert OrderCreated.model_validate_json(body).order_id == 1
