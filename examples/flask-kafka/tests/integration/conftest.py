"""The fixtures of the integration tests. Yours: put your own below the import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from shop.models import User
from shop.security import create_access_token

from .factories import UserFactory
from .support.plugin import *  # noqa: F403


@pytest.fixture
def catalogue() -> list[dict[str, Any]]:
    """The products in data/products.json, as the API takes them."""
    file = Path(__file__).parent / "data" / "products.json"
    products: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return products


@pytest.fixture(scope="session")
def vcr_config() -> dict[str, Any]:
    """Cassettes hold what others answer, not our services, and no secrets."""
    return {
        "decode_compressed_response": True,
        "filter_headers": ["authorization"],
        "ignore_localhost": True,
    }


@pytest.fixture
def buyer(db_session: Session) -> User:
    """Somebody who buys."""
    return UserFactory.create()


@pytest.fixture
def as_buyer(app: Flask, buyer: User) -> dict[str, str]:
    """The headers of a request that `buyer` makes, logged in."""
    token = create_access_token(buyer.id, app.config["SETTINGS"])
    return {"Authorization": f"Bearer {token}"}
