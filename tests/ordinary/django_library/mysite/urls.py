from django.urls import path

from catalog import views

urlpatterns = [
    path("genres/", views.genres, name="genres"),
    path("books/", views.add_book, name="add-book"),
    path("books/<int:pk>/lend/", views.lend, name="lend"),
]
