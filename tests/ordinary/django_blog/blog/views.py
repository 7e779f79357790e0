from django.http import JsonResponse

from .models import Article


def article_list(request):
    articles = Article.objects.filter(published=True).order_by("id")
    return JsonResponse({"articles": list(articles.values("slug", "title"))})
