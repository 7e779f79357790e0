from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from inventory.models import Part, Shelf

SHELVES = ["left", "middle", "right"]


@pytest.mark.parametrize("visit", [1, 2])
def test_a_part_is_stored_once(client, db_session, visit):
    assert client.post("/shelves/left/parts", json={"number": "M4"}).status_code == 201
    assert client.post("/shelves/right/parts", json={"number": "M4"}).status_code == 409
    (part,) = db_session.scalars(select(Part)).all()
    assert part.shelf.name == "left"


@pytest.mark.parametrize("visit", [1, 2])
def test_the_shelves_of_the_migration_are_there(client, visit):
    found = client.get("/shelves").get_json()
    assert found == [{"name": name, "parts": []} for name in SHELVES]


@pytest.mark.commits
@pytest.mark.parametrize("visit", [1, 2])
def test_of_many_at_once_one_stores_a_part(app, db_session, visit):
    def store(shelf):
        path = f"/shelves/{shelf}/parts"
        return app.test_client().post(path, json={"number": "M5"}).status_code

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(store, SHELVES)) == [201, 409, 409]
    # As the migration left it, but for what this test stored.
    assert db_session.scalars(select(Shelf.name).order_by(Shelf.name)).all() == SHELVES
