"""Which view answers which path."""

from django.urls import path

from .views.auth import TokenView
from .views.health import HealthView
from .views.orders import OrderListView, OrderView
from .views.products import PriceView, ProductListView, ProductView
from .views.users import MeView, UserListView

urlpatterns = [
    path("auth/token", TokenView.as_view()),
    path("health", HealthView.as_view()),
    path("orders", OrderListView.as_view()),
    path("orders/<str:order_id>", OrderView.as_view()),
    path("products", ProductListView.as_view()),
    path("products/<str:product_id>", ProductView.as_view()),
    path("products/<str:product_id>/price", PriceView.as_view()),
    path("users", UserListView.as_view()),
    path("users/me", MeView.as_view()),
]

handler400 = "rest_framework.exceptions.bad_request"
handler404 = "shop.errors.unknown_path"
handler500 = "rest_framework.exceptions.server_error"
