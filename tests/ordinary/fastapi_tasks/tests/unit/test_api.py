from fastapi.testclient import TestClient

from app.db import Task, get_db
from app.main import app


class FakeDatabase:
    async def scalars(self, query):
        return [Task(id=1, title='write')]


# As FastAPI's documentation has it, for all tests of this module.
app.dependency_overrides[get_db] = FakeDatabase
client = TestClient(app)


def test_tasks_are_listed():
    assert client.get('/tasks').json() == [{'id': 1, 'title': 'write'}]


def test_a_task_must_have_a_title():
    assert client.post('/tasks', json={}).status_code == 422
