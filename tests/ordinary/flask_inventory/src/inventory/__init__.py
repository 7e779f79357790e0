"""What is in the warehouse."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask

from inventory import views
from inventory.extensions import db, migrate


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "sqlite://")
    app.config.from_mapping(config or {})
    db.init_app(app)
    migrate.init_app(app, db)
    app.register_blueprint(views.blueprint)
    return app
