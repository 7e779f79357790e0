"""The bed refuses what is not there for tests. Managed by Testbed: do not edit."""

from __future__ import annotations

import pytest

from .support.endpoints import SERVICES, Endpoint, Service, external_endpoint
from .support.guard import NotForTests, refuse_unless_for_tests
from .support.processes import is_abandoned

DATABASE = next(iter(SERVICES.values()))


def endpoint(host: str = "127.0.0.1", database: str = DATABASE.database) -> Endpoint:
    """An endpoint as the variables TEST_<SERVICE>_HOST and _DATABASE make it."""
    return Endpoint(
        service=DATABASE,
        host=host,
        ports=DATABASE.ports,
        user=DATABASE.user,
        password=DATABASE.password,
        database=database,
        external=True,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_server_on_this_machine_is_accepted(host: str) -> None:
    refuse_unless_for_tests(endpoint(host=host))


@pytest.mark.parametrize("host", ["db.example.com", "10.0.0.7", "127.0.0.1.a.example"])
def test_a_server_elsewhere_is_refused(host: str) -> None:
    with pytest.raises(NotForTests, match=f"TEST_ALLOWED_HOSTS={host}"):
        refuse_unless_for_tests(endpoint(host=host))


def test_a_server_elsewhere_can_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ALLOWED_HOSTS", "db.example.com, docker")
    refuse_unless_for_tests(endpoint(host="docker"))
    with pytest.raises(NotForTests):
        refuse_unless_for_tests(endpoint(host="example.com"))


@pytest.mark.parametrize("name", ["test", "test_shop", "shop_test"])
def test_a_database_named_for_tests_is_accepted(name: str) -> None:
    refuse_unless_for_tests(endpoint(database=name))


@pytest.mark.parametrize("name", ["shop", "app", "latest", "contest"])
def test_any_other_database_is_refused(name: str) -> None:
    with pytest.raises(NotForTests, match="does not look like a database for tests"):
        refuse_unless_for_tests(endpoint(database=name))


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_the_variables_of_the_application_are_never_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"{service.name}_HOST".upper()
    for variable in ("DATABASE_URL", "CACHE_URL", "BROKER_URL", own):
        monkeypatch.setenv(variable, "production.example.com")
    monkeypatch.delenv(service.variable("host"), raising=False)
    assert external_endpoint(service) is None


@pytest.mark.parametrize("name", ["shop", "test_shop", "test_0_1_main", "/"])
def test_what_this_checkout_did_not_make_is_never_called_abandoned(name: str) -> None:
    assert not is_abandoned(name)
