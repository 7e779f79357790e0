from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client, TestCase, TransactionTestCase
from django.urls import reverse

from catalog.models import Book, Genre

GENRES = {"Crime": 0, "Poetry": 0}


@pytest.mark.parametrize("visit", [1, 2])
def test_a_book_is_added(client, visit):
    client.force_login(User.objects.create_user("reader"))
    assert client.get("/genres/").json() == GENRES
    added = client.post("/books/", {"title": "Emma", "genre": "Poetry"})
    assert added.status_code == 201
    assert client.get("/genres/").json() == {**GENRES, "Poetry": 1}


@pytest.mark.commits
@pytest.mark.parametrize("visit", [1, 2])
def test_of_two_at_once_one_borrows_a_book(client, visit):
    book = Book.objects.create(title="Emma", genre=Genre.objects.get(name="Poetry"))
    readers = [User.objects.create_user(name) for name in ("one", "two")]

    def borrow(reader):
        client = Client()
        client.force_login(reader)
        try:
            return client.post(reverse("lend", args=[book.pk])).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(borrow, readers)) == [200, 409]


class CatalogTest(TestCase):
    def test_it_runs_on_the_server(self):
        assert connection.vendor == "mysql"

    def test_the_genres_of_the_migration_are_there(self):
        assert self.client.get("/genres/").json() == GENRES


class CommittingTest(TransactionTestCase):
    def test_it_finds_the_genres(self):
        assert self.client.get("/genres/").json() == GENRES
        Book.objects.create(title="Emma", genre=Genre.objects.get(name="Poetry"))

    def test_it_finds_them_again(self):
        assert self.client.get("/genres/").json() == GENRES
