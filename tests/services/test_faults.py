"""Tests with `faults` have an application behind proxies, and leave nothing of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ..ordinary_repositories import REPOSITORIES
from .conftest import MakeRepository, Repository

BY_NAME = {ordinary.name: ordinary for ordinary in REPOSITORIES}

NOT_MARKED = """\
def test_products(client, faults):
    pass
"""

# In this order: each would fail if the one before had left its fault.
IN_ORDER = """\
import threading

import pytest

THREADS = []


@pytest.fixture(scope="module", autouse=True)
def threads_of_proxies(proxies):
    THREADS.append(threading.active_count())


@pytest.mark.commits
@pytest.mark.parametrize("fault", ["down", "blackhole", "latency", "limit_bytes"])
class TestFaults:
    def test_fails_in_the_middle(self, client, faults, fault):
        arguments = {"latency": [60], "limit_bytes": [0]}.get(fault, [])
        assert client.get("/products").status_code == 200
        with getattr(faults.database, fault)(*arguments):
            raise RuntimeError("in the middle")

    def test_passes_then(self, client, faults, fault):
        for _ in range(2):
            assert client.get("/products").status_code == 200


def test_without_faults(client, db_session):
    assert client.get("/products").status_code == 200
"""

ON_NOTES = """\
import pytest
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

pytestmark = [pytest.mark.anyio, pytest.mark.commits]


async def test_services_fail_and_recover(client, cache_client, faults):
    await client.put("/notes/first")
    with faults.cache.down(), pytest.raises(RedisError):
        await client.get("/notes/first")
    assert (await client.get("/notes/first")).json()["read"] == 1
    assert await cache_client.get("read:first") == "1"
    with faults.database.down(), pytest.raises(OperationalError):
        await client.get("/notes")
    assert (await client.get("/notes")).json() == ["first"]
"""

ON_INVENTORY = """\
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from inventory.models import Part


@pytest.mark.commits
def test_services_fail_and_recover(client, db_session, faults):
    path = "/shelves/left/parts"
    with faults.database.down():
        with pytest.raises(OperationalError):
            client.application.testing = True
            client.post(path, json={"number": "M4"})
        # The test's own session goes on.
        assert db_session.scalars(select(Part)).all() == []
    assert client.post(path, json={"number": "M4"}).status_code == 201
"""

ON_BLOG = """\
import pytest
from django.db import OperationalError, close_old_connections
from redis.exceptions import RedisError

from blog.models import Article


@pytest.mark.commits
def test_services_fail_and_recover(client, faults):
    Article.objects.create(slug="news", title="News", published=True)
    with faults.cache.down(), pytest.raises(RedisError):
        client.get("/articles/news/")
    with faults.database.down(), pytest.raises(OperationalError):
        client.get("/articles/")
    close_old_connections()
    assert len(client.get("/articles/").json()["articles"]) == 1


@pytest.mark.commits
@pytest.mark.django_db
def test_the_next_one_finds_nothing(client):
    assert client.get("/articles/").json() == {"articles": []}
"""

ON_TASKS = """\
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.commits]


async def test_tasks(client, faults):
    with faults.database.down(), pytest.raises(OSError):
        await client.get("/tasks")
    assert (await client.get("/tasks")).json() == []
"""

# Where an engine in a module is all that there is.
LEADS_TO_PROXIES = """

import pytest


@pytest.fixture
async def proxied_application(application, proxies):
    from sqlalchemy.ext.asyncio import create_async_engine

    from app.db import SessionLocal, engine

    url = proxies.database.endpoint.url("postgresql+asyncpg")
    proxied = create_async_engine(url, pool_pre_ping=True)
    SessionLocal.configure(bind=proxied)
    yield application
    SessionLocal.configure(bind=engine)
    await proxied.dispose()
"""


@pytest.fixture
def make_ordinary(
    make_repository: MakeRepository, render: Callable[..., Path]
) -> Callable[[str], Repository]:
    """Makes a repository that was not made for the bed, by its name."""

    def make(name: str) -> Repository:
        source = BY_NAME[name].with_bed(render)
        repository = make_repository(name, source=source)
        repository.plugins += BY_NAME[name].plugins
        return repository

    return make


def test_whoever_wants_faults_has_to_want_real_connections(
    make_repository: MakeRepository,
) -> None:
    repository = make_repository(database_access="sync", broker="none", cache="none")
    result = repository.pytest(repository.add_test("not_marked", NOT_MARKED))
    assert result.counts == {"error": 1}
    assert re.search(r"`faults` breaks .*: mark the test\s+`commits`", result.output)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_test_that_fails_in_the_middle_leaves_no_fault(
    make_repository: MakeRepository, framework: str
) -> None:
    repository = make_repository(
        framework=framework, database_access="sync", broker="none", cache="none"
    )
    result = repository.pytest(repository.add_test("in_order", IN_ORDER))
    assert result.counts == {"failed": 4, "passed": 5}, result.output
    assert result.output.count("RuntimeError: in the middle") >= 4
    repository.wait_until_nothing_is_left()


def test_nothing_is_made_for_tests_without_faults(
    make_repository: MakeRepository,
) -> None:
    repository = make_repository(broker="none", cache="none")
    result = repository.pytest("tests/integration/test_api.py", "--setup-show")
    assert result.code == 0, result.output
    assert "SETUP    S application" in result.output
    assert "proxies" not in result.output
    assert "proxied_application" not in result.output


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("fastapi_notes", ON_NOTES),
        ("flask_inventory", ON_INVENTORY),
        ("django_blog", ON_BLOG),
    ],
)
def test_an_ordinary_application_is_led_to_proxies(
    make_ordinary: Callable[[str], Repository], name: str, body: str
) -> None:
    repository = make_ordinary(name)
    repository.add_test("services_that_fail", body)
    # Beside the repository's own tests, which go straight to the services.
    result = repository.pytest("tests/integration")
    assert result.code == 0, result.output
    assert not any(repository.leftovers().values())
    repository.wait_until_nothing_is_left()


def test_an_application_in_a_module_is_named_and_can_be_led_to_proxies(
    make_ordinary: Callable[[str], Repository],
) -> None:
    repository = make_ordinary("fastapi_tasks")
    test = repository.add_test("services_that_fail", ON_TASKS)
    result = repository.pytest(test)
    assert result.counts == {"error": 1}, result.output
    assert "override the fixture proxied_application in conftest.py" in re.sub(
        r"\s+", " ", result.output
    )
    conftest = repository.path / "tests" / "integration" / "conftest.py"
    conftest.write_text(conftest.read_text() + LEADS_TO_PROXIES)
    result = repository.pytest("tests/integration")
    assert result.code == 0, result.output
