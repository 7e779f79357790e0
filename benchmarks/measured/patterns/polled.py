"""A container per module, asked until it answers."""

import pytest
from containers import container, emptied_session, engine_of, poll
from shop.models import Base


@pytest.fixture(scope="module")
def engine():
    with container() as url:
        poll(url)
        engine = engine_of(url)
        Base.metadata.create_all(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def session(engine):
    with emptied_session(engine) as session:
        yield session
