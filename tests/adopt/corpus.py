"""Small repositories as they are found in the wild, and what is true of each.

A fact whose answer is ASK is one that the files do not tell for sure.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from ..update.conftest import commit, git

ASK = object()


@dataclass(frozen=True)
class Case:
    """A repository: its files by path, and the right answer for every fact."""

    name: str
    files: dict[str, str]
    facts: dict[str, object]
    # Where the project is, in a repository that has several.
    folder: str = ""

    def make(self, root: Path) -> Path:
        """Write it, as a git repository with one commit; the folder to adopt."""
        write(root, self.files)
        git(root, "init", "--quiet", "--initial-branch=main")
        commit(root, "start")
        return root / self.folder


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))


GITHUB = """
name: CI
on: push
jobs:
  test:
    strategy:
      matrix:
        python-version: ["3.10", "3.11", "3.12"]
    runs-on: ubuntu-latest
    steps:
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python-version }}
"""
ASYNC_DB = """
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine("postgresql+asyncpg://localhost/shop")
Session = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass
"""
MANAGE = """
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{settings}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""

CORPUS = [
    Case(
        "fastapi_pep621_src",
        {
            "pyproject.toml": """
                [build-system]
                requires = ["hatchling"]
                build-backend = "hatchling.build"

                [project]
                name = "web-shop"
                requires-python = ">=3.12"
                dependencies = [
                  "fastapi>=0.115",
                  "sqlalchemy[asyncio]>=2",
                  "asyncpg",
                  "redis>=5",
                  "aio-pika",
                ]

                [project.optional-dependencies]
                dev = ["pymysql", "pytest"]
            """,
            "src/web_shop/__init__.py": "",
            "src/web_shop/main.py": """
                from fastapi import FastAPI

                from .cache import client

                app = FastAPI()
            """,
            "src/web_shop/cache.py": """
                from redis.asyncio import Redis

                client = Redis()
            """,
            "src/web_shop/db.py": ASYNC_DB,
            "src/web_shop/models.py": """
                from .db import Base


                class Product(Base):
                    __tablename__ = "products"
            """,
            "tests/test_main.py": """
                from fastapi import FastAPI

                app = FastAPI()
            """,
            ".github/workflows/ci.yml": GITHUB,
        },
        {
            "project_name": "web-shop",
            "package_name": "web_shop",
            "framework": "fastapi",
            "database_access": "async",
            "database": "postgres",
            "cache": "redis",
            "broker": "rabbitmq",
            "app": "web_shop.main:app",
            "models": "web_shop.models:Base",
            "tests_dir": "tests/integration",
            "ci": ["github"],
            "python_versions": ["3.12"],
            "installer": "pip",
        },
    ),
    Case(
        "fastapi_poetry_factory",
        {
            "pyproject.toml": """
                [tool.poetry]
                name = "orders"
                version = "1.0"

                [tool.poetry.dependencies]
                python = "^3.11"
                fastapi = "^0.115"
                sqlalchemy = "^2.0"
                psycopg2-binary = "^2.9"
                confluent-kafka = { version = "^2.5", optional = true }

                [tool.poetry.group.dev.dependencies]
                fakeredis = "*"
                redis = "*"
            """,
            "poetry.lock": '[[package]]\nname = "fastapi"\nversion = "0.115.0"\n',
            "orders/__init__.py": "",
            "orders/application.py": """
                from fastapi import FastAPI
                from sqlalchemy import create_engine


                def create_app(echo: bool = False) -> FastAPI:
                    app = FastAPI()
                    app.state.engine = create_engine("postgresql://", echo=echo)
                    return app
            """,
            "orders/asgi.py": """
                from orders.application import create_app

                app = create_app()
            """,
            "alembic.ini": "[alembic]\nscript_location = migrations\n",
            "migrations/env.py": """
                from alembic import context
                from sqlalchemy.ext.asyncio import create_async_engine

                engine = create_async_engine("postgresql+asyncpg://")
            """,
            "Dockerfile": "FROM python:3.13-slim\nCMD uvicorn orders.asgi:app\n",
        },
        {
            "project_name": "orders",
            "package_name": "orders",
            "framework": "fastapi",
            "database_access": "sync",
            "database": "postgres",
            "cache": "none",
            "broker": "kafka",
            "app": "orders.application:create_app",
            "models": "",
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ["3.13"],
            "installer": "poetry",
        },
    ),
    Case(
        "fastapi_uv_groups_valkey",
        {
            "pyproject.toml": """
                [project]
                name = "tracker"
                requires-python = ">=3.11,<3.15"
                dependencies = ["fastapi[standard]", "sqlmodel", "psycopg[binary]"]

                [dependency-groups]
                dev = ["pytest", "testcontainers[mysql]"]
                cache = ["redis"]

                [tool.pytest.ini_options]
                testpaths = ["tests/unit"]
            """,
            "uv.lock": 'version = 1\n\n[[package]]\nname = "fastapi"\n',
            "app/__init__.py": "",
            "app/main.py": """
                from fastapi import FastAPI
                from sqlmodel import Session, create_engine

                from app import api

                app = FastAPI()
                v1 = FastAPI()
                app.mount("/v1", v1)
                engine = create_engine("postgresql+psycopg://")
            """,
            "app/api.py": "import redis\n",
            "app/models/__init__.py": """
                from sqlmodel import SQLModel

                from .issue import Issue
                from .user import User
            """,
            "app/models/user.py": """
                from sqlmodel import Field, SQLModel


                class UserIn(SQLModel):
                    name: str


                class User(UserIn, table=True):
                    id: int = Field(primary_key=True)
            """,
            "app/models/issue.py": """
                from sqlmodel import Field, SQLModel


                class Issue(SQLModel, table=True):
                    id: int = Field(primary_key=True)
            """,
            "compose.yaml": """
                services:
                  db:
                    image: postgres:17
                  cache:
                    image: valkey/valkey:8-alpine
            """,
            "tests/unit/test_nothing.py": "",
            ".gitlab-ci.yml": """
                include:
                  - template: Jobs/SAST.gitlab-ci.yml

                stages: [build, check]

                check:
                  stage: check
                  image: python:3.13
                  script: uv run pytest
            """,
        },
        {
            "project_name": "tracker",
            "package_name": "app",
            "framework": "fastapi",
            "database_access": "sync",
            "database": "postgres",
            "cache": "valkey",
            "broker": "none",
            "app": "app.main:app",
            "models": "app.models:SQLModel",
            "tests_dir": "tests/integration",
            "ci": ["gitlab"],
            "python_versions": ["3.13"],
            "installer": "uv",
        },
    ),
    Case(
        "fastapi_pdm_two_engines",
        {
            "pyproject.toml": """
                [project]
                name = "ledger"
                requires-python = "==3.12.*"
                dependencies = ["fastapi", "asyncpg", "psycopg2", "sqlalchemy"]

                [tool.pdm]
                distribution = false

                [tool.pdm.dev-dependencies]
                test = ["pytest"]
            """,
            "pdm.lock": '[[package]]\nname = "fastapi"\n',
            "ledger/__init__.py": "",
            "ledger/web.py": """
                import fastapi
                from sqlalchemy.ext.asyncio import create_async_engine

                api = fastapi.FastAPI()
                engine = create_async_engine("postgresql+asyncpg://")
            """,
            "ledger/reports.py": """
                from sqlalchemy import MetaData, Table, create_engine

                metadata = MetaData()
                entries = Table("entries", metadata)
                engine = create_engine("postgresql+psycopg2://")
            """,
        },
        {
            "project_name": "ledger",
            "package_name": "ledger",
            "framework": "fastapi",
            "database_access": ASK,
            "database": "postgres",
            "cache": "none",
            "broker": "none",
            "app": "ledger.web:api",
            "models": "ledger.reports:metadata",
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ["3.12"],
            "installer": "pdm",
        },
    ),
    Case(
        "fastapi_requirements_flat",
        {
            "requirements.txt": "-r requirements/base.txt\nuvicorn\n",
            "requirements/base.txt": "fastapi==0.115.0\naiomysql\nsqlalchemy\n",
            "requirements/dev.txt": "-r base.txt\npytest\nasyncpg\n",
            "main.py": """
                from fastapi import FastAPI

                from database import engine

                app = FastAPI()

                if __name__ == "__main__":
                    import uvicorn

                    uvicorn.run("main:app")
            """,
            "database.py": """
                import os

                from sqlalchemy.ext.asyncio import create_async_engine

                engine = create_async_engine(os.environ["DATABASE_URL"])
            """,
            ".python-version": "3.14\n",
        },
        {
            "project_name": ASK,
            "package_name": ASK,
            "framework": "fastapi",
            "database_access": "async",
            "database": "mysql",
            "cache": "none",
            "broker": "none",
            "app": "main:app",
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ["3.14"],
            "installer": "requirements",
        },
    ),
    Case(
        "flask_setup_cfg_sqlalchemy",
        {
            "setup.cfg": """
                [metadata]
                name = library
                version = 1.0
                classifiers =
                    Programming Language :: Python :: 3
                    Programming Language :: Python :: 3.9
                    Programming Language :: Python :: 3.12

                [options]
                packages = find:
                python_requires = >=3.9
                install_requires =
                    Flask>=3
                    Flask-SQLAlchemy
                    PyMySQL
                    redis

                [options.extras_require]
                test =
                    psycopg
            """,
            "setup.py": "from setuptools import setup\n\nsetup()\n",
            "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\n',
            "library/__init__.py": """
                import redis
                from flask import Flask

                from .extensions import db


                def create_app(config=None):
                    app = Flask(__name__)
                    db.init_app(app)
                    app.redis = redis.Redis()
                    return app
            """,
            "library/extensions.py": """
                from flask_sqlalchemy import SQLAlchemy

                db = SQLAlchemy()
            """,
            "library/models.py": """
                from .extensions import db


                class Timed(db.Model):
                    __abstract__ = True


                class Book(Timed):
                    id = db.Column(db.Integer, primary_key=True)
            """,
            "wsgi.py": "from library import create_app\n\napp = create_app()\n",
            "tests/integration/test_books.py": "",
        },
        {
            "project_name": "library",
            "package_name": "library",
            "framework": "flask",
            "database": "mysql",
            "cache": "redis",
            "broker": "none",
            "app": "library:create_app",
            "models": "library.models:db",
            "tests_dir": "tests/testbed",
            "ci": ASK,
            "python_versions": ["3.12"],
            "installer": "pip",
        },
    ),
    Case(
        "flask_pipfile_celery",
        {
            "Pipfile": """
                [packages]
                flask = "*"
                psycopg2-binary = "*"
                celery = {extras = ["redis"], version = "*"}

                [dev-packages]
                pytest = "*"

                [requires]
                python_version = "3.12"
            """,
            "Pipfile.lock": "{}\n",
            "shop/__init__.py": "",
            "shop/app.py": """
                from flask import Flask


                def get_app():
                    app = Flask(__name__)
                    return app
            """,
            "shop/tasks.py": """
                import os

                from celery import Celery

                celery = Celery(broker=os.environ["BROKER_URL"])
            """,
        },
        {
            "project_name": ASK,
            "package_name": "shop",
            "framework": "flask",
            "database": "postgres",
            "cache": ASK,
            "broker": ASK,
            "app": ASK,
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ASK,
            "installer": ASK,
        },
    ),
    Case(
        "flask_pip_compile",
        {
            "requirements.in": "flask\npsycopg\npika\n",
            "requirements.txt": """
                # This file is autogenerated by pip-compile
                flask==3.1.0
                    # via -r requirements.in
                pika==1.3.2
                    # via -r requirements.in
                psycopg==3.2.1
                    # via -r requirements.in
                redis==5.0.0
                    # via something-else
            """,
            "app.py": """
                import pika
                from flask import Flask

                app = Flask(__name__)
            """,
            ".env.example": "DATABASE_URL=postgresql://user:password@localhost/x\n",
            ".github/workflows/test.yml": """
                on: push
                jobs:
                  test:
                    runs-on: ubuntu-latest
                    steps:
                      - uses: actions/setup-python@v5
                        with:
                          python-version: "3.13"
            """,
            ".gitlab-ci.yml": "test:\n  image: python:3.13\n  script: pytest\n",
        },
        {
            "project_name": ASK,
            "package_name": ASK,
            "framework": "flask",
            "database": "postgres",
            "cache": "none",
            "broker": "rabbitmq",
            "app": "app:app",
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ["github", "gitlab"],
            "python_versions": ["3.13"],
            "installer": "requirements",
        },
    ),
    Case(
        "flask_settings_by_environment",
        {
            "pyproject.toml": """
                [build-system]
                requires = ["setuptools"]
                build-backend = "setuptools.build_meta"

                [project]
                name = "billing"
                requires-python = ">=3.10"
                dependencies = ["flask", "sqlalchemy", "mysqlclient", "kafka-python"]
            """,
            "billing/__init__.py": "",
            "billing/config.py": """
                import os


                class Production:
                    SQLALCHEMY_DATABASE_URI = os.environ.get("DATABASE_URL")


                class Testing:
                    SQLALCHEMY_DATABASE_URI = "sqlite://"
            """,
            "billing/web.py": """
                import os

                from flask import Flask


                def create_app(config: str):
                    app = Flask(__name__)
                    app.config.from_object(f"billing.config.{config}")
                    return app


                app = create_app(os.environ["CONFIG"])
            """,
            "billing/models.py": """
                from sqlalchemy.orm import declarative_base

                Base = declarative_base()


                class Invoice(Base):
                    __tablename__ = "invoices"
            """,
        },
        {
            "project_name": "billing",
            "package_name": "billing",
            "framework": "flask",
            "database": "mysql",
            "cache": "none",
            "broker": "kafka",
            "app": "billing.web:app",
            "models": "billing.models:Base",
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ["3.11"],
            "installer": "pip",
        },
    ),
    Case(
        "django_settings_package",
        {
            "pyproject.toml": """
                [tool.poetry]
                name = "portal"

                [tool.poetry.dependencies]
                python = "~3.12"
                django = "^5.2"
                mysqlclient = "*"
                django-redis = "*"
            """,
            "poetry.lock": "",
            "manage.py": MANAGE.format(settings="config.settings.local"),
            "config/__init__.py": "",
            "config/settings/__init__.py": "",
            "config/settings/base.py": """
                DATABASES = {"default": {"ENGINE": "django.db.backends.mysql"}}
                CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache"}}
            """,
            "config/settings/local.py": "from .base import *\n",
            "config/settings/test.py": "from .base import *\n",
            "pytest.ini": """
                [pytest]
                DJANGO_SETTINGS_MODULE = config.settings.test
            """,
            "portal/__init__.py": "",
            "portal/models.py": "from django.db import models\n",
        },
        {
            "project_name": "portal",
            "package_name": "portal",
            "framework": "django",
            "database": "mysql",
            "cache": "redis",
            "broker": "none",
            "tests_dir": "tests/integration",
            "settings_module": "config.settings.test",
            "ci": ASK,
            "python_versions": ["3.12"],
            "installer": "poetry",
        },
    ),
    Case(
        "django_settings_ambiguous",
        {
            "requirements/base.txt": "Django==5.2\ndj-database-url\npsycopg[binary]\n",
            "requirements/production.txt": "-r base.txt\ngunicorn\n",
            "requirements/local.txt": "-r base.txt\ndjango-silk\nmysqlclient\n",
            "manage.py": MANAGE.format(settings="site_config.settings.local"),
            "site_config/__init__.py": "",
            "site_config/wsgi.py": """
                import os

                os.environ.setdefault(
                    "DJANGO_SETTINGS_MODULE", "site_config.settings.production"
                )
            """,
            "site_config/settings/__init__.py": "",
            "site_config/settings/local.py": "",
            "site_config/settings/production.py": """
                import dj_database_url

                DATABASES = {"default": dj_database_url.config()}
            """,
        },
        {
            "project_name": ASK,
            "package_name": "site_config",
            "framework": "django",
            "database": "postgres",
            "cache": "none",
            "broker": "none",
            "tests_dir": "tests/integration",
            "settings_module": ASK,
            "ci": ASK,
            "python_versions": ASK,
            "installer": ASK,
        },
    ),
    Case(
        "django_celery_rabbitmq",
        {
            "pyproject.toml": """
                [project]
                name = "newsroom"
                requires-python = ">=3.12"
                dependencies = ["django>=5", "celery", "psycopg", "redis"]
            """,
            "uv.lock": "version = 1\n",
            "manage.py": MANAGE.format(settings="newsroom.settings"),
            "newsroom/__init__.py": "",
            "newsroom/celery.py": """
                from celery import Celery

                app = Celery("newsroom")
            """,
            "newsroom/settings.py": """
                import os

                DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
                CACHES = {
                    "default": {
                        "BACKEND": "django.core.cache.backends.redis.RedisCache",
                    }
                }
                CELERY_BROKER_URL = os.environ.get("BROKER", "amqp://guest@mq//")
            """,
            "docker-compose.yml": """
                services:
                  db:
                    image: docker.io/library/postgres:16
                  mq:
                    image: rabbitmq:4-management
                  cache:
                    image: redis:7
                  exporter:
                    image: oliver006/redis_exporter
            """,
            "renovate.json": "{}\n",
        },
        {
            "project_name": "newsroom",
            "package_name": "newsroom",
            "framework": "django",
            "database": "postgres",
            "cache": "redis",
            "broker": "rabbitmq",
            "tests_dir": "tests/integration",
            "settings_module": "newsroom.settings",
            "ci": ASK,
            "python_versions": ["3.12"],
            "installer": "uv",
            "updates": "renovate",
        },
    ),
    Case(
        "monorepo_subfolder",
        {
            "README.md": "# Services\n",
            ".github/workflows/ci.yml": GITHUB,
            "services/web/requirements.txt": "django\nmysqlclient\n",
            "services/orders/pyproject.toml": """
                [project]
                name = "orders"
                requires-python = ">=3.11"
                dependencies = ["fastapi", "asyncpg", "aiokafka"]
            """,
            "services/orders/uv.lock": "version = 1\n",
            "services/orders/src/orders/__init__.py": "",
            "services/orders/src/orders/main.py": """
                import asyncpg
                from fastapi import FastAPI

                app = FastAPI()


                async def connect():
                    return await asyncpg.create_pool()
            """,
        },
        {
            "project_name": "orders",
            "package_name": "orders",
            "framework": "fastapi",
            "database_access": "async",
            "database": "postgres",
            "cache": "none",
            "broker": "kafka",
            "app": "orders.main:app",
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": [],
            "python_versions": ["3.11"],
            "installer": "uv",
        },
        folder="services/orders",
    ),
    Case(
        "two_frameworks",
        {
            "requirements.txt": "django\nfastapi\npsycopg2\npymysql\nredis\nvalkey\n",
            "manage.py": MANAGE.format(settings="core.settings"),
            "core/__init__.py": "",
            "core/settings.py": "",
            "api/__init__.py": "",
            "api/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
        },
        {
            "project_name": ASK,
            "package_name": ASK,
            "framework": ASK,
            "database": ASK,
            "cache": ASK,
            "broker": "none",
            "app": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ASK,
            "installer": "requirements",
        },
    ),
    Case(
        "two_applications",
        {
            "pyproject.toml": """
                [project]
                name = "Gateway"
                dependencies = ["fastapi", "psycopg", "pika", "aiokafka"]
            """,
            "requirements.txt": "fastapi\npsycopg\n",
            "gateway/__init__.py": "",
            "gateway/public.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "gateway/admin.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "gateway/models.py": """
                from sqlalchemy.orm import DeclarativeBase


                class Base(DeclarativeBase): ...


                class Other(DeclarativeBase): ...


                class Route(Base): ...


                class Log(Other): ...
            """,
            "Dockerfile": "FROM python:3.12\n",
            "Dockerfile.admin": "FROM python:3.13\n",
        },
        {
            "project_name": "Gateway",
            "package_name": "gateway",
            "framework": "fastapi",
            "database_access": ASK,
            "database": "postgres",
            "cache": "none",
            "broker": ASK,
            "app": ASK,
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ["3.12", "3.13"],
            "installer": ASK,
        },
    ),
    Case(
        "served_application",
        {
            "pyproject.toml": """
                [project]
                name = "maps"
                dependencies = ["fastapi", "asyncpg", "redis"]
            """,
            "backend/__init__.py": "",
            "backend/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "backend/mock.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "Procfile": "web: uvicorn backend.main:app --port $PORT\n",
            "compose.yml": """
                services:
                  db:
                    image: postgis/postgis:17-3.5
                  # cache:
                  #   image: valkey/valkey
            """,
        },
        {
            "project_name": "maps",
            "package_name": "backend",
            "framework": "fastapi",
            "database_access": "async",
            "database": ASK,
            "cache": "redis",
            "broker": "none",
            "app": "backend.main:app",
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ASK,
            "installer": "pip",
        },
    ),
    Case(
        "setup_py_and_lists",
        {
            "setup.py": """
                from setuptools import find_packages, setup

                setup(
                    name="stock",
                    packages=find_packages(),
                    python_requires=">=3.8",
                    install_requires=["Flask", "pymongo", "psycopg2"],
                )
            """,
            "stock/__init__.py": "",
            "stock/app.py": """
                from flask import Flask

                app = Flask(__name__)
                app = app.wsgi_app
            """,
            "stock/broken.py": "def broken(:\n",
            "tox.ini": "[pytest]\ntestpaths = tests\n",
        },
        {
            "project_name": "stock",
            "package_name": "stock",
            "framework": "flask",
            "database": ASK,
            "cache": "none",
            "broker": "none",
            "app": ASK,
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ["3.11"],
            "installer": ASK,
        },
    ),
    Case(
        "no_application",
        {
            "pyproject.toml": """
                [project]
                name = "flask-something"
                requires-python = ">=3.7,<3.11"
                dependencies = ["flask"]
            """,
            "flask_something.py": "from flask import current_app\n",
            "tests/test_it.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        },
        {
            "project_name": "flask-something",
            "package_name": ASK,
            "framework": ASK,
            "database": ASK,
            "cache": "none",
            "broker": "none",
            "app": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ASK,
            "installer": "pip",
        },
    ),
    Case(
        "odd_and_broken",
        {
            "pyproject.toml": """
                [project]
                name = ["odd"]
                dynamic = 3
                dependencies = "flask"

                [project.optional-dependencies]
                all = [3, "not a requirement !", "sqlalchemy[postgresql]", "flask"]
                jobs = ["limits[redis]"]

                [tool.poetry]
                dependencies = "none"

                [tool.pytest]
                ini_options = 1
            """,
            "poetry.lock": "package = 3",
            "Pipfile.lock": "[]",
            "setup.cfg": "[options\nno ini",
            "setup.py": "setup(name=name(), install_requires=load(), **more)\n",
            "requirements.txt": "-r requirements.txt\n-e .\n-r nowhere.txt\n",
            ".github/workflows/broken.yml": "{ - [",
            "web.py": "from flask import Flask\n\nweb: Flask = Flask(__name__)\n",
        },
        {
            "project_name": ASK,
            "package_name": ASK,
            "framework": "flask",
            "database": "postgres",
            "cache": ASK,
            "broker": "none",
            "app": "web:web",
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ["github"],
            "python_versions": ASK,
            "installer": "poetry",
        },
    ),
    Case(
        "flask_frozen_with_celery",
        {
            # As `pip freeze` writes it: amqp and kombu come with Celery.
            "requirements.txt": """
                amqp==5.3.1
                celery==5.4.0
                Flask==3.1.0
                Flask-SQLAlchemy==3.1.1
                kombu==5.4.2
                PyMySQL==1.1.1
                redis==5.2.0
            """,
            "compose.yaml": """
                services:
                  db:
                    image: mariadb:${MARIADB_VERSION:-11.4}
                  redis:
                    image: redis:7  # as in production
            """,
            ".env.example": "EVENTS=  # amqp://user:password@host\nREDIS_URL=redis://redis\n",
            "geo/__init__.py": """
                from flask import Flask
                from flask_sqlalchemy import SQLAlchemy

                db = SQLAlchemy()


                def create_app():
                    from .models import place, road

                    app = Flask(__name__)
                    db.init_app(app)
                    return app
            """,
            "geo/models/__init__.py": "",
            "geo/models/place.py": """
                from .. import db


                class Place(db.Model):
                    id = db.Column(db.Integer, primary_key=True)
            """,
            "geo/models/road.py": """
                from .. import db


                class Road(db.Model):
                    id = db.Column(db.Integer, primary_key=True)
            """,
        },
        {
            "project_name": ASK,
            "package_name": "geo",
            "framework": "flask",
            "database": ASK,
            "cache": ASK,
            "broker": ASK,
            "app": "geo:create_app",
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ASK,
            "installer": "requirements",
        },
    ),
    Case(
        "fastapi_started_in_its_folder",
        {
            "backend/requirements.txt": "fastapi\nsqlalchemy\npsycopg2-binary\n",
            "backend/Dockerfile": """
                FROM python:3.12-slim
                CMD uvicorn main:app
            """,
            "backend/main.py": """
                from fastapi import FastAPI

                import models
                from database import engine

                app = FastAPI()
            """,
            "backend/database.py": """
                from sqlalchemy import create_engine

                engine = create_engine("postgresql://db/shop")
            """,
            "backend/models.py": """
                from sqlalchemy.orm import DeclarativeBase


                class Base(DeclarativeBase):
                    pass


                class Product(Base):
                    __tablename__ = "products"
            """,
            "backend/tasks.py": "from celery import shared_task\n",
            "requirements.txt": "fastapi\nsqlalchemy\npsycopg2-binary\n",
        },
        {
            "project_name": ASK,
            "package_name": ASK,
            "framework": "fastapi",
            "database_access": "sync",
            "database": "postgres",
            "cache": ASK,
            "broker": ASK,
            "app": ASK,
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ["3.12"],
            "installer": "requirements",
        },
    ),
    Case(
        "fastapi_with_much_beside_it",
        {
            "pyproject.toml": """
                [project]
                name = "pay"
                requires-python = ">=3.11,<3.14"
                dependencies = ["fastapi", "databases[asyncpg]", "sqlalchemy"]

                [project.optional-dependencies]
                docker = ["redis"]
                examples = ["aiokafka"]
            """,
            "uv.lock": "",
            "pay/__init__.py": "",
            "pay/api.py": """
                from typing import TYPE_CHECKING

                import databases
                import sqlalchemy
                from fastapi import FastAPI

                if TYPE_CHECKING:
                    import aio_pika


                class Api(FastAPI):
                    pass


                engine = sqlalchemy.create_engine("postgresql://db/pay")
                database = databases.Database("postgresql://db/pay")
                app = Api()
            """,
            "pay/tables.py": """
                from sqlalchemy.orm import DeclarativeBase


                class Base(DeclarativeBase):
                    pass


                def create_all():
                    from .samples import models
                    from .users import models as users
            """,
            # No samples of code: a package of the application.
            "pay/samples/__init__.py": "",
            "pay/samples/models.py": """
                from ..tables import Base


                class Sample(Base):
                    __tablename__ = "samples"
            """,
            "pay/users/__init__.py": "",
            "pay/users/models.py": """
                from ..tables import Base


                class User(Base):
                    __tablename__ = "users"
            """,
            "mocks/bank.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
            "Makefile": "mock:\n\tuvicorn mocks.bank:app --port 9000\n",
            "scripts/import_from_mysql.py": "import pymysql\n",
            "examples/forward/Dockerfile": "FROM python:3.14\n",
            "examples/forward/compose.yaml": """
                services:
                  forward:
                    environment: {AMQP_URL: "amqp://broker"}
            """,
            "examples/forward/alembic/env.py": "from alembic import context\n",
            ".github/workflows/ci.yml": """
                jobs:
                  test:
                    strategy:
                      matrix:
                        python:
                          - "3.11"
                          # not yet: "3.12"
                          - "3.13"
                        exclude:
                          - python: "3.12"
                  lint:
                    steps:
                      - with: {python-version: "3.14"}
            """,
            ".gitlab-ci.yml": """
                test:
                  services:
                    - name: postgres@sha256:0123
                    - valkey/valkey:8.0  # BSD licence
            """,
        },
        {
            "project_name": "pay",
            "package_name": "pay",
            "framework": "fastapi",
            "database_access": ASK,
            "database": "postgres",
            "cache": "valkey",
            "broker": ASK,
            "app": "pay.api:app",
            "models": ASK,
            "tests_dir": "tests/integration",
            "ci": ["github", "gitlab"],
            "python_versions": ["3.11", "3.13"],
            "installer": "uv",
        },
    ),
    Case(
        "django_told_by_tox_and_setup",
        {
            "setup.py": """
                from setuptools import setup

                setup(
                    name="press",
                    install_requires=["Django", "django-q2", "redis"],
                    extras_require={"postgres": ["psycopg"], "test": ["pika"]},
                )
            """,
            "pyproject.toml": "[build-system]\nrequires = ['setuptools']\n",
            "manage.py": """
                import os

                os.environ.setdefault("DJANGO_SETTINGS_MODULE", "press.settings")
            """,
            "press/__init__.py": "",
            "press/asgi.py": """
                import os

                os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"press.{stage}")
            """,
            "press/settings.py": """
                DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
            """,
            "docs/settings.py": "",
            "tox.ini": """
                [testenv:docs]
                setenv =
                    DJANGO_SETTINGS_MODULE = docs.settings
            """,
        },
        {
            "project_name": "press",
            "package_name": "press",
            "framework": "django",
            "database": "postgres",
            "cache": ASK,
            "broker": ASK,
            "settings_module": "press.settings",
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ASK,
            "installer": "pip",
        },
    ),
    Case(
        "another_framework_and_a_tool",
        {
            "requirements.txt": "aiohttp\nasyncpg\n",
            "requirements-dev.txt": "flask\n",
            "requirements-all.txt": "-r requirements.txt\n-r requirements-dev.txt\n",
            "devtools/payments.py": """
                from flask import Flask

                app = Flask(__name__)
            """,
            "shop.py": """
                from aiohttp import web

                app = web.Application()
                if address.startswith("mysql://"):
                    raise SystemExit("mysql:// is not supported")
            """,
        },
        {
            "project_name": ASK,
            "package_name": ASK,
            "framework": ASK,
            "database": "postgres",
            "cache": "none",
            "broker": "none",
            "app": ASK,
            "tests_dir": "tests/integration",
            "ci": ASK,
            "python_versions": ASK,
            "installer": "requirements",
        },
    ),
]
