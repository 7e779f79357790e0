"""Prices in other currencies. Yours: change it with the application.

A server on this machine stands in for the API that tells exchange rates.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from threading import Event

import httpx2
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pytest_httpserver import HTTPServer
from sqlalchemy.ext.asyncio import AsyncSession
from time_machine import travel
from werkzeug import Request, Response

from shop import exchange_rates

from .factories import ProductFactory

pytestmark = pytest.mark.anyio

UNAVAILABLE = {"detail": "Exchange rates are not available at the moment."}


@pytest.fixture
def timeout_seconds() -> float:
    """How long the application waits for an answer."""
    return 10


@pytest.fixture
async def rates_api(
    app: FastAPI,
    httpserver: HTTPServer,
    timeout_seconds: float,
) -> AsyncIterator[HTTPServer]:
    """What the application takes for the API of exchange rates in this test."""
    rates = exchange_rates.ExchangeRates(
        httpserver.url_for(""), timeout_seconds=timeout_seconds
    )
    app.state.exchange_rates = rates  # until it is started again, for the next test
    yield httpserver
    await rates.close()
    # It answers one request after the other: with this one, it has logged all that the
    # test has left, which the next test would find.
    httpx2.get(httpserver.url_for("/"))


@pytest.fixture
async def price(db_session: AsyncSession) -> str:
    """The path of a product's price in euros."""
    product = await ProductFactory.acreate(price_cents=1_000)
    return f"/products/{product.id}/price?currency=EUR"


async def test_a_price_is_converted_by_the_latest_rate(
    client: AsyncClient, rates_api: HTTPServer, price: str
) -> None:
    rates_api.expect_request("/latest").respond_with_json({"rates": {"EUR": 0.925}})

    answer = await client.get(price)

    assert answer.status_code == 200
    assert answer.json() == {"currency": "EUR", "price_cents": 925}
    ((sent, _),) = rates_api.log
    assert sent.method == "GET"
    assert sent.args.to_dict() == {"base": "USD", "symbols": "EUR"}


async def test_a_currency_that_nobody_knows_is_not_found(
    client: AsyncClient, rates_api: HTTPServer, price: str
) -> None:
    rates_api.expect_request("/latest").respond_with_data(status=404)
    assert (await client.get(price)).status_code == 404


@pytest.mark.parametrize(
    "bad",
    [Response(status=500), Response("<html>"), Response('{"rates": {}}')],
    ids=["error", "no JSON", "no rate"],
)
async def test_a_bad_answer_is_logged_and_the_price_unavailable(
    client: AsyncClient,
    rates_api: HTTPServer,
    price: str,
    bad: Response,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rates_api.expect_request("/latest").respond_with_response(bad)

    answer = await client.get(price)

    assert answer.status_code == 503
    assert answer.json() == UNAVAILABLE
    assert "The exchange rate of EUR is not known" in caplog.text


@pytest.mark.parametrize("timeout_seconds", [0.1])
async def test_an_answer_that_takes_too_long_is_not_waited_for(
    client: AsyncClient, rates_api: HTTPServer, price: str
) -> None:
    answered = Event()

    def wait(_: Request) -> Response:
        answered.wait()
        return Response(status=500)

    rates_api.expect_request("/latest").respond_with_handler(wait)
    try:
        answer = await client.get(price)
    finally:
        answered.set()

    assert answer.status_code == 503
    assert answer.json() == UNAVAILABLE


async def test_an_api_that_fails_is_left_alone_until_it_may_have_recovered(
    client: AsyncClient, rates_api: HTTPServer, price: str
) -> None:
    rates_api.expect_request("/latest").respond_with_data(status=500)
    for _ in range(exchange_rates.MAX_FAILURES + 1):
        assert (await client.get(price)).status_code == 503
    assert len(rates_api.log) == exchange_rates.MAX_FAILURES

    rates_api.clear()
    rates_api.expect_request("/latest").respond_with_json({"rates": {"EUR": 0.5}})
    assert (await client.get(price)).status_code == 503

    with travel(timedelta(seconds=exchange_rates.PAUSE_SECONDS)):
        assert (await client.get(price)).status_code == 200
    assert (await client.get(price)).status_code == 200
    assert len(rates_api.log) == 2


@pytest.mark.vcr
async def test_the_answer_of_the_real_api_is_understood() -> None:
    """As documented; `pytest --record-mode=rewrite -k real_api` asks what it is."""
    rates = exchange_rates.ExchangeRates(
        "https://api.frankfurter.dev/v1", timeout_seconds=10
    )
    euro = await rates.find("EUR")
    await rates.close()

    assert euro
    assert 0.1 < euro < 10
