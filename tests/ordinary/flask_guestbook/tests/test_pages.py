import unittest

from app import app
from database import Base, db_session, engine, init_db
from models import Entry


class PagesTest(unittest.TestCase):
    def setUp(self):
        self.client = app.test_client()

    def test_an_empty_form_is_refused(self):
        self.assertEqual(self.client.post("/entries").status_code, 400)

    def test_there_is_no_other_page(self):
        self.assertEqual(self.client.get("/").status_code, 404)


class StoredTest(unittest.TestCase):
    def setUp(self):
        init_db()

    def tearDown(self):
        db_session.remove()
        Base.metadata.drop_all(engine)

    def test_an_entry_is_stored(self):
        db_session.add(Entry(author="Bob", text="Hi"))
        db_session.commit()
        self.assertEqual(db_session.query(Entry).count(), 1)
