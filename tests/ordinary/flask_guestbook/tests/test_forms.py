import unittest

from forms import clean


class FormsTest(unittest.TestCase):
    def test_blanks_are_cut_off(self):
        form = {"author": " Ann ", "text": "Hello "}
        self.assertEqual(clean(form), ("Ann", "Hello"))
