import pytest
from httpx2 import AsyncClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def first_note(client: AsyncClient) -> str:
    await client.put("/notes/first")
    return "first"


@pytest.mark.parametrize("visit", [1, 2])
async def test_a_note_is_listed(
    client: AsyncClient, first_note: str, visit: int
) -> None:
    assert (await client.get("/notes")).json() == [first_note]


@pytest.mark.parametrize("visit", [1, 2])
async def test_readers_are_counted(
    client: AsyncClient, first_note: str, visit: int
) -> None:
    assert (await client.get("/notes/first")).json()["read"] == 1
    assert (await client.get("/notes/first")).json()["read"] == 2
    assert (await client.get("/notes/second")).status_code == 404
