from inventory.extensions import db
from inventory.models import Shelf


def test_there_are_no_shelves(client):
    assert client.get("/shelves").get_json() == []


def test_a_part_is_stored(client):
    db.session.add(Shelf(name="top"))
    db.session.commit()
    assert client.post("/shelves/top/parts", json={"number": "M4"}).status_code == 201
    assert client.get("/shelves").get_json() == [{"name": "top", "parts": ["M4"]}]
