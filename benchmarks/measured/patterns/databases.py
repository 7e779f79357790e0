"""pytest-databases: one container; it has nothing that isolates tests."""

import os

import pytest
from containers import emptied_session, engine_of
from shop.models import Base

pytest_plugins = ["pytest_databases.docker.postgres"]


@pytest.fixture(scope="session")
def postgres_image():
    return os.environ.get("POSTGRES_IMAGE", "postgres:18")


@pytest.fixture(scope="session")
def engine(postgres_service):
    there = postgres_service
    login = f"{there.user}:{there.password}@{there.host}:{there.port}"
    engine = engine_of(f"postgresql://{login}/{there.database}")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with emptied_session(engine) as session:
        yield session
