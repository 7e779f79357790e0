"""Mistakes that lead tests to production: each is refused, and says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .compose_stack import Stack
from .conftest import MakeRepository, Repository

# They share a server, so one worker runs them.

# As an organisation has it: no test is to find out more about it than this.
PRODUCTION = """
CREATE ROLE shop LOGIN PASSWORD 'sesame';
CREATE DATABASE shop OWNER shop;
\\connect shop
CREATE TABLE orders AS SELECT generate_series(1, 3) AS id;
"""
REDIS_HAS_KEYS = "for number in $(seq 0 63); do redis-cli -n $number set order 1; done"

POSTGRES = "tests/integration/test_postgres.py"
REDIS = "tests/integration/test_redis.py"


class Production(Stack):
    """Servers that tests have no business with, behind a tunnel to this machine."""

    def psql(self, query: str, database: str = "postgres") -> str:
        psql = ("psql", "-U", "test", "-d", database, "-Atc", query)
        return self.compose("exec", "--no-TTY", "postgres", *psql)

    @property
    def contents(self) -> list[str]:
        """What has to be there afterwards as before."""
        redis = ("exec", "--no-TTY", "redis", "redis-cli", "info", "keyspace")
        return [
            self.psql("SELECT datname FROM pg_database ORDER BY 1"),
            self.psql("SELECT count(*) FROM orders", "shop"),
            self.compose(*redis),
        ]


@pytest.fixture(scope="module")
def production(
    render: Callable[..., Path], images: dict[str, str]
) -> Iterator[Production]:
    stack = Production(render() / "docker-compose.test.yml", images)
    try:
        stack.compose("up", "--detach", "--wait", "postgres", "redis")
        script = f"psql -U test -v ON_ERROR_STOP=1 <<'SQL'\n{PRODUCTION}\nSQL"
        stack.compose("exec", "--no-TTY", "postgres", "sh", "-c", script)
        stack.compose("exec", "--no-TTY", "redis", "sh", "-c", REDIS_HAS_KEYS)
        yield stack
    finally:
        stack.compose("down", "--volumes")


@pytest.fixture
def repository(
    make_repository: MakeRepository, production: Production
) -> Iterator[Repository]:
    before = production.contents
    repository = make_repository(broker="none")
    yield repository
    assert production.contents == before


def refusal(repository: Repository, test: str, **variables: str) -> str:
    """What the one error says; no container was started for it."""
    result = repository.pytest(test, **variables)
    assert result.code == 1, result.output
    assert result.counts == {"error": 1}, result.output
    assert "Traceback" not in result.output
    assert repository.containers() == {}
    return result.output


ELSEWHERE = "db.example.com"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        # The production server itself.
        ({"TEST_POSTGRES_HOST": ELSEWHERE}, f"TEST_ALLOWED_HOSTS={ELSEWHERE}"),
        (
            {"TEST_POSTGRES_HOST": ELSEWHERE, "TEST_ALLOWED_HOSTS": "*"},
            f"TEST_ALLOWED_HOSTS={ELSEWHERE}",
        ),
        (
            {"TEST_POSTGRES_HOST": "10.0.0.7", "TEST_ALLOWED_HOSTS": "10.0.0.70"},
            "which is not this machine",
        ),
        # A value that was copied from another variable.
        (
            {"TEST_POSTGRES_HOST": "postgresql://shop:sesame@db.example.com/shop"},
            "TEST_POSTGRES_HOST takes the name or the address of a host alone",
        ),
        (
            {"TEST_POSTGRES_HOST": "127.0.0.1:5432"},
            "TEST_POSTGRES_HOST takes the name or the address of a host alone",
        ),
        (
            {"TEST_POSTGRES_HOST": "127.0.0.1", "TEST_POSTGRES_PORT": "tcp://x:5432"},
            'TEST_POSTGRES_PORT is "tcp://x:5432", which is not a port number',
        ),
        (
            {"TEST_POSTGRES_HOST": "127.0.0.1", "TEST_POSTGRES_DATABASE": "shop"},
            'TEST_POSTGRES_DATABASE is "shop", which does not look like a database for',
        ),
        (
            {"TEST_POSTGRES_HOST": "127.0.0.1", "TEST_POSTGRES_DATABASE": "postgres"},
            "which does not look like a database for tests",
        ),
        # What libpq takes from the environment, whatever host it is told.
        (
            {"TEST_POSTGRES_HOST": "127.0.0.1", "PGHOSTADDR": "10.0.0.7"},
            "PGHOSTADDR is set, and would lead all connections elsewhere: unset it.",
        ),
        # Docker of another machine, where containers would start.
        (
            {"DOCKER_HOST": "ssh://deploy@production.example.com"},
            "Docker is on another machine, at production.example.com.",
        ),
        (
            {"DOCKER_HOST": "tcp://10.0.0.7:2375"},
            "Docker is on another machine, at 10.0.0.7.",
        ),
    ],
)
def test_a_variable_that_leads_elsewhere_is_refused(
    repository: Repository, variables: dict[str, str], reason: str
) -> None:
    output = refusal(repository, POSTGRES, **variables)
    assert reason in output, output
    assert "sesame" not in output


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ({"TEST_POSTGRES_USER": "shop"}, 'TEST_POSTGRES_USER "shop" is no superuser'),
        ({"TEST_POSTGRES_PASSWORD": "perhaps"}, "refuses the login"),
    ],
)
def test_a_tunnel_to_production_is_refused(
    repository: Repository,
    production: Production,
    login: dict[str, str],
    reason: str,
) -> None:
    variables = {
        "TEST_POSTGRES_HOST": "localhost",
        "TEST_POSTGRES_PORT": str(production.port("postgres")),
        "TEST_POSTGRES_PASSWORD": "sesame",
    }
    output = refusal(repository, POSTGRES, **{**variables, **login})
    assert reason in output, output


def test_a_shared_redis_without_an_empty_database_is_refused(
    repository: Repository, production: Production
) -> None:
    port = str(production.port("redis"))
    variables = {"TEST_REDIS_HOST": "127.0.0.1", "TEST_REDIS_PORT": port}
    output = refusal(repository, REDIS, **variables)
    assert "has no empty numbered database left for this process" in output


def test_the_applications_own_variables_and_env_file_lead_nowhere(
    repository: Repository, production: Production
) -> None:
    port = production.port("postgres")
    url = f"postgresql+psycopg://test:test@127.0.0.1:{port}/shop"
    (repository.path / ".env").write_text(
        f"DATABASE_URL={url}\nTEST_DOCKER_ADDRESS=127.0.0.2\nUNTERMINATED='\n"
    )
    api = "tests/integration/test_api.py"
    assert repository.pytest(api, DATABASE_URL=url).code == 0


MODULE_LEVEL = """
import pytest
from sqlalchemy import create_engine, text

# As a module has it that reads the developer's settings when it is imported.
engine = create_engine({url!r})


@pytest.mark.parametrize("with_database", [True, False])
def test_writes(request, with_database):
    if with_database:
        request.getfixturevalue("database")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM orders"))
"""


def test_an_engine_that_leads_elsewhere_is_refused(
    repository: Repository, production: Production
) -> None:
    port = production.port("postgres")
    url = f"postgresql+psycopg://test:test@127.0.0.1:{port}/shop"
    test = repository.add_test("elsewhere", MODULE_LEVEL.format(url=url))
    result = repository.pytest(test)
    assert result.counts == {"failed": 2}, result.output
    told = f"This test connects to a database at 127.0.0.1:{port}, which is not"
    assert told in result.output, result.output
