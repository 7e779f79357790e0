import pytest
from django.conf import settings
from django.db import connections

from .support.diagnostics import pytest_runtest_makereport  # noqa: F401
from .support.lifecycle import process, services  # noqa: F401
from .support.postgres import postgres  # noqa: F401


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres, process):  # noqa: F811
    """Point Django, which has read its settings long ago, at the test server."""
    for database in (
        settings.DATABASES["default"],
        connections["default"].settings_dict,
    ):
        database.update(
            HOST=postgres.host,
            PORT=postgres.port,
            USER=postgres.user,
            PASSWORD=postgres.password,
            NAME=postgres.database,
        )
        database.setdefault("TEST", {})["NAME"] = process.name
