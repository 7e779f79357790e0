import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def first_note(client):
    await client.put("/notes/first")
    return "first"


@pytest.mark.parametrize("visit", [1, 2])
async def test_a_note_is_listed(client, first_note, visit):
    assert (await client.get("/notes")).json() == [first_note]
