"""Exchange rates, from somebody else's API over HTTP."""

import logging
from decimal import Decimal
from http import HTTPStatus

import httpx2
from pybreaker import CircuitBreaker, CircuitBreakerError
from pydantic import BaseModel

from .errors import RatesUnavailableError

MAX_FAILURES = 3
PAUSE_SECONDS = 30

logger = logging.getLogger(__name__)

# It takes longer to make than a request.
_tls = httpx2.create_ssl_context()


class Latest(BaseModel):
    """What the API answers."""

    rates: dict[str, Decimal]


class ExchangeRates:
    """What a dollar is in other currencies. It connects when it is first used.

    After some failures in a row the API is left alone for a while: nobody waits for
    what will hardly come. Every process finds that out by itself.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._http = httpx2.AsyncClient(
            base_url=url,
            timeout=timeout_seconds,
            verify=_tls,
        )
        self._breaker = CircuitBreaker(
            fail_max=MAX_FAILURES,
            reset_timeout=PAUSE_SECONDS,
            throw_new_error_on_trip=False,
        )

    async def find(self, currency: str) -> Decimal | None:
        """The rate of a currency, or None; raises RatesUnavailableError."""
        try:
            with self._breaker.calling():
                return await self._ask(currency)
        except (CircuitBreakerError, httpx2.HTTPError, KeyError, ValueError) as error:
            logger.warning("The exchange rate of %s is not known: %r", currency, error)
            raise RatesUnavailableError(
                "Exchange rates are not available at the moment."
            ) from error

    async def _ask(self, currency: str) -> Decimal | None:
        query = {"base": "USD", "symbols": currency}
        answer = await self._http.get("/latest", params=query)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        answer.raise_for_status()
        return Latest.model_validate_json(answer.content).rates[currency]

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()
