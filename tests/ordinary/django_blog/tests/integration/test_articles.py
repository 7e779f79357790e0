import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.test import Client, TestCase

from blog.models import Article

pytestmark = pytest.mark.django_db
twice = pytest.mark.parametrize("visit", [1, 2])


@twice
def test_only_published_articles_are_listed(client: Client, visit: int) -> None:
    assert Article.objects.count() == 0
    Article.objects.create(slug="draft", title="Draft")
    Article.objects.create(slug="news", title="News", published=True)
    articles = client.get("/articles/").json()["articles"]
    assert articles == [{"slug": "news", "title": "News"}]


@twice
def test_an_article_is_cached(client: Client, visit: int) -> None:
    assert cache.get("article:news") is None
    assert client.get("/articles/news/").status_code == 404
    Article.objects.create(slug="news", title="News", published=True)
    assert client.get("/articles/news/").json() == {"title": "News"}
    Article.objects.update(title="Old news")
    assert client.get("/articles/news/").json() == {"title": "News"}


@twice
def test_a_slug_is_unique(visit: int) -> None:
    Article.objects.create(slug="news", title="News")
    with pytest.raises(IntegrityError):
        Article.objects.create(slug="news", title="Other")


@pytest.mark.django_db(transaction=True)
@twice
def test_a_real_commit_is_cleaned_up(visit: int) -> None:
    assert Article.objects.count() == 0
    Article.objects.create(slug="news", title="News")


class ArticleTest(TestCase):
    article: Article

    @classmethod
    def setUpTestData(cls) -> None:
        cls.article = Article.objects.create(slug="news", title="News", published=True)

    def test_an_article_has_its_title(self) -> None:
        assert str(self.article) == "News"

    def test_it_is_listed(self) -> None:
        listed = self.client.get("/articles/").json()["articles"]
        assert len(listed) == 1
