"""One container; all tables are made before each test, and dropped after it."""

import pytest
from containers import container, engine_of, poll
from shop.models import Base
from sqlalchemy.orm import Session


@pytest.fixture(scope="session")
def engine():
    with container() as url:
        poll(url)
        engine = engine_of(url)
        yield engine
        engine.dispose()


@pytest.fixture
def session(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    Base.metadata.drop_all(engine)
