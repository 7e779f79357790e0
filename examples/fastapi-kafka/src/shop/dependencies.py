"""What routes and services ask for.

It is `async` even where it does not wait: anything else, FastAPI calls in a thread.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from .cache import Cache
from .database import SessionFactory, get_session, get_session_factory
from .errors import NotAuthenticatedError
from .exchange_rates import ExchangeRates
from .messaging import Publisher
from .models import User
from .security import read_access_token
from .settings import Settings
from .stock_feed import StockFeed


async def get_settings(request: Request) -> Settings:
    """What this application was started with."""
    settings: Settings = request.app.state.settings
    return settings


async def get_stock_feed(connection: HTTPConnection) -> StockFeed:
    """Where changes of stock are told."""
    stock_feed: StockFeed = connection.app.state.stock_feed
    return stock_feed


async def get_exchange_rates(request: Request) -> ExchangeRates:
    """Who knows what other currencies cost."""
    exchange_rates: ExchangeRates = request.app.state.exchange_rates
    return exchange_rates


async def get_cache(request: Request) -> Cache:
    """What is remembered between requests."""
    cache: Cache = request.app.state.cache
    return cache


async def get_publisher(request: Request) -> Publisher:
    """Where events are announced."""
    publisher: Publisher = request.app.state.publisher
    return publisher


SettingsDep = Annotated[Settings, Depends(get_settings)]
SessionFactoryDep = Annotated[SessionFactory, Depends(get_session_factory)]
SessionDep = Annotated[AsyncSession, Depends(get_session)]
ExchangeRatesDep = Annotated[ExchangeRates, Depends(get_exchange_rates)]
StockFeedDep = Annotated[StockFeed, Depends(get_stock_feed)]
CacheDep = Annotated[Cache, Depends(get_cache)]
PublisherDep = Annotated[Publisher, Depends(get_publisher)]
BearerToken = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False)),
]


async def get_current_user(
    token: BearerToken,
    session: SessionDep,
    settings: SettingsDep,
) -> User:
    """Who makes this request; raises NotAuthenticatedError."""
    if token is None:
        raise NotAuthenticatedError("An access token is needed.")
    user = await session.get(User, read_access_token(token.credentials, settings))
    if user is None:
        raise NotAuthenticatedError("The access token's user no longer exists.")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
