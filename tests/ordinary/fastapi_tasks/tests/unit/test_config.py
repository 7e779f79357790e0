import unittest

from app import config


class ConfigTest(unittest.TestCase):
    def test_pages_have_a_size(self):
        self.assertGreater(config.PAGE_SIZE, 0)

    def test_the_database_is_the_one_in_the_environment(self):
        self.assertIn('db.invalid', config.DATABASE_URL)
