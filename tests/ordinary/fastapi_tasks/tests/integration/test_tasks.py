import anyio
import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("visit", [1, 2])
async def test_a_task_is_created_once(client, visit):
    assert (await client.get("/tasks")).json() == []
    assert (await client.post("/tasks", json={"title": "write"})).status_code == 201
    assert (await client.post("/tasks", json={"title": "write"})).status_code == 409
    assert [task["title"] for task in (await client.get("/tasks")).json()] == ["write"]
    assert (await client.get("/count")).json() == 1


@pytest.mark.commits
@pytest.mark.parametrize("visit", [1, 2])
async def test_requests_at_once_have_connections_of_their_own(client, visit):
    statuses = []

    async def create():
        statuses.append((await client.post("/tasks", json={"title": "x"})).status_code)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(create)
    assert sorted(statuses) == [201, 409, 409, 409, 409]
