import unittest

from app import app


class PagesTest(unittest.TestCase):
    def setUp(self):
        self.client = app.test_client()

    def test_an_empty_form_is_refused(self):
        self.assertEqual(self.client.post("/entries").status_code, 400)

    def test_there_is_no_other_page(self):
        self.assertEqual(self.client.get("/").status_code, 404)
