import json

import pytest
from sqlalchemy import select

from database import db_session as sessions
from events import QUEUE
from models import Entry


@pytest.fixture
def entry(client):
    return client.post("/entries", data={"author": "Ann", "text": "Hello"})


@pytest.mark.parametrize("visit", [1, 2])
def test_who_signs_is_listed(client, entry, visit):
    assert entry.status_code == 201
    assert client.get("/entries").get_json() == [{"author": "Ann", "text": "Hello"}]


def test_what_is_signed_is_committed(entry, db_session):
    assert db_session.scalars(select(Entry.author)).all() == ["Ann"]


@pytest.mark.parametrize("visit", [1, 2])
def test_an_event_is_published(entry, rabbitmq_channel, visit):
    _, _, body = rabbitmq_channel.basic_get(QUEUE, auto_ack=True)
    assert json.loads(body) == {"kind": "signed", "author": "Ann"}
    assert rabbitmq_channel.basic_get(QUEUE) == (None, None, None)


def test_nothing_is_kept_of_a_bad_form(client, db_session):
    assert client.post("/entries", data={"author": "Ann"}).status_code == 400
    assert db_session.scalars(select(Entry)).all() == []


def test_sessions_are_those_of_the_application(app):
    assert not sessions().autoflush
