from django.contrib.auth.models import User
from django.db import connection
from django.test import SimpleTestCase, TestCase
from django.urls import reverse

from .models import Book, Genre


class GenreTest(SimpleTestCase):
    def test_a_genre_is_shown_by_its_name(self):
        self.assertEqual(str(Genre(name="Crime")), "Crime")


class BookTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.reader = User.objects.create_user("reader")
        genre = Genre.objects.create(name="Drama")
        cls.book = Book.objects.create(title="Emma", genre=genre)

    def setUp(self):
        self.client.force_login(self.reader)

    def test_it_runs_on_the_database_of_the_settings(self):
        self.assertEqual(connection.vendor, "sqlite")

    def test_a_book_is_counted(self):
        self.assertEqual(self.client.get(reverse("genres")).json(), {"Drama": 1})

    def test_a_book_is_lent_once(self):
        url = reverse("lend", args=[self.book.pk])
        self.assertEqual(self.client.post(url).status_code, 200)
        self.assertEqual(self.client.post(url).status_code, 409)
