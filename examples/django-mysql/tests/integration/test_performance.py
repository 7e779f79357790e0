"""Figures, and no limits: `pytest -m slow`. Yours: change it with the application."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import pytest
from django.db import connection
from rest_framework.test import APIClient

from .factories import ProductFactory

pytestmark = [pytest.mark.commits, pytest.mark.slow]

MANY = 40


def test_throughput_with_a_connection_for_every_request(
    client: APIClient, record_property: Callable[[str, object], None]
) -> None:
    def request(_: int) -> int:
        try:
            return client.get("/products").status_code
        finally:
            connection.close()  # which is the thread's own

    ProductFactory.create_batch(20)
    began = perf_counter()
    with ThreadPoolExecutor(MANY) as threads:
        statuses = list(threads.map(request, range(MANY)))
    record_property("requests per second", round(MANY / (perf_counter() - began)))

    assert statuses == [200] * MANY
