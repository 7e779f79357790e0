from blog.views import article_list
from django.urls import path

urlpatterns = [path("articles/", article_list)]
