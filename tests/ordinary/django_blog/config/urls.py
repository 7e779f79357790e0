from django.urls import path

from blog.views import article_detail, article_list

urlpatterns = [
    path("articles/", article_list),
    path("articles/<slug:slug>/", article_detail),
]
