"""The application, for a server that calls a factory:

uvicorn --factory shop.main:create_app
"""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from .cache import Cache
from .database import make_engine, make_session_factory
from .errors import add_error_handlers
from .exchange_rates import ExchangeRates
from .messaging import Publisher
from .routers import auth, health, orders, products, stock, users
from .schemas import ErrorDetail
from .settings import Settings
from .stock_feed import StockFeed


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    """Make what requests share, and close it in the end."""
    settings: Settings = app.state.settings
    async with AsyncExitStack() as resources:
        engine = make_engine(settings.database_url)
        resources.push_async_callback(engine.dispose)
        app.state.session_factory = make_session_factory(engine)
        app.state.stock_feed = StockFeed()
        app.state.exchange_rates = ExchangeRates(
            settings.exchange_rates_url,
            timeout_seconds=settings.exchange_rates_timeout_seconds,
        )
        resources.push_async_callback(app.state.exchange_rates.close)
        app.state.cache = Cache(
            settings.cache_url,
            prefix=settings.cache_prefix,
            ttl_seconds=settings.cache_ttl_seconds,
        )
        resources.push_async_callback(app.state.cache.close)
        app.state.publisher = Publisher(settings.broker_url)
        resources.push_async_callback(app.state.publisher.close)
        yield


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application. Nothing connects before its first use."""
    app = FastAPI(
        title="Shop",
        lifespan=lifespan,
        responses={"4XX": {"model": ErrorDetail}, "5XX": {"model": ErrorDetail}},
    )
    app.state.settings = settings or Settings()
    add_error_handlers(app)
    for part in (auth, health, orders, products, stock, users):
        app.include_router(part.router)
    return app
