"""What routes and services ask for."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from .cache import Cache
from .database import SessionFactory, get_session, get_session_factory
from .errors import NotAuthenticatedError
from .messaging import Publisher
from .models import User
from .security import read_access_token
from .settings import Settings
from .stock_feed import StockFeed


def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def get_stock_feed(connection: HTTPConnection) -> StockFeed:
    stock_feed: StockFeed = connection.app.state.stock_feed
    return stock_feed


def get_cache(request: Request) -> Cache:
    cache: Cache = request.app.state.cache
    return cache


def get_publisher(request: Request) -> Publisher:
    publisher: Publisher = request.app.state.publisher
    return publisher


SettingsDep = Annotated[Settings, Depends(get_settings)]
SessionFactoryDep = Annotated[SessionFactory, Depends(get_session_factory)]
SessionDep = Annotated[AsyncSession, Depends(get_session)]
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
    if token is None:
        raise NotAuthenticatedError("An access token is needed.")
    user = await session.get(User, read_access_token(token.credentials, settings))
    if user is None:
        raise NotAuthenticatedError("The access token's user no longer exists.")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
