import pytest
from blog.models import Article
from django.db import IntegrityError

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("visit", [1, 2])
def test_only_published_articles_are_listed(client, visit):
    assert Article.objects.count() == 0
    Article.objects.create(slug="draft", title="Draft")
    Article.objects.create(slug="news", title="News", published=True)
    articles = client.get("/articles/").json()["articles"]
    assert articles == [{"slug": "news", "title": "News"}]


@pytest.mark.parametrize("visit", [1, 2])
def test_a_slug_is_unique(visit):
    Article.objects.create(slug="news", title="News")
    with pytest.raises(IntegrityError):
        Article.objects.create(slug="news", title="Other")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("visit", [1, 2])
def test_a_real_commit_is_cleaned_up(visit):
    assert Article.objects.count() == 0
    Article.objects.create(slug="news", title="News")
