from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404

from .models import Article


def article_list(request: HttpRequest) -> JsonResponse:
    articles = Article.objects.filter(published=True).order_by("id")
    return JsonResponse({"articles": list(articles.values("slug", "title"))})


def article_detail(request: HttpRequest, slug: str) -> JsonResponse:
    def load() -> dict[str, Any]:
        return {"title": get_object_or_404(Article, slug=slug, published=True).title}

    return JsonResponse(cache.get_or_set(f"article:{slug}", load, 60))
