"""Factories of the application's models. Yours: change them with the models."""

from .orders import OrderFactory
from .products import ProductFactory
from .users import PASSWORD, UserFactory

__all__ = ["PASSWORD", "OrderFactory", "ProductFactory", "UserFactory"]
