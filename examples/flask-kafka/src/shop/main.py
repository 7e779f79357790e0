"""The application, for a server that calls a factory:

flask --app shop.main run
"""

from flask import Flask

from .cache import Cache
from .consumer import add_commands
from .database import init_database
from .errors import add_error_handlers
from .exchange_rates import ExchangeRates
from .messaging import Publisher
from .settings import Settings
from .views import auth, health, orders, products, users


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application. Nothing connects before its first use."""
    settings = settings or Settings()
    app = Flask(__name__, static_folder=None)
    app.config["SETTINGS"] = settings
    init_database(app, settings.database_url)
    app.extensions["exchange_rates"] = ExchangeRates(
        settings.exchange_rates_url,
        timeout_seconds=settings.exchange_rates_timeout_seconds,
    )
    app.extensions["cache"] = Cache(
        settings.cache_url,
        prefix=settings.cache_prefix,
        ttl_seconds=settings.cache_ttl_seconds,
    )
    app.extensions["publisher"] = Publisher(settings.broker_url)
    add_error_handlers(app)
    for part in (auth, health, orders, products, users):
        app.register_blueprint(part.blueprint)
    add_commands(app)
    return app
