from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from .models import Book, Genre


def genres(request):
    counted = Genre.objects.annotate(count=Count("books")).order_by("name")
    return JsonResponse({genre.name: genre.count for genre in counted})


@require_POST
@login_required
def add_book(request):
    genre = get_object_or_404(Genre, name=request.POST["genre"])
    book = Book.objects.create(title=request.POST["title"], genre=genre)
    return JsonResponse({"id": book.pk}, status=201)


@require_POST
@login_required
def lend(request, pk):
    book = get_object_or_404(Book.objects.select_for_update(), pk=pk)
    if book.lent_to:
        return JsonResponse({"error": "it is lent already"}, status=409)
    book.lent_to = request.user
    book.save()
    return JsonResponse({"id": book.pk})
