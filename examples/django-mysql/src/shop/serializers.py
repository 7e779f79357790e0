"""What travels over HTTP."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from .models import Order, OrderLine, Product, User

# The largest numbers that columns hold, and ids are.
MAX_INTEGER = 2**31 - 1
MAX_ID = 2**63 - 1


def valid_id(name: str, value: str) -> int:
    """The id in a path, where it is called `name`."""
    field = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    try:
        return int(field.run_validation(value))
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"path": {name: error.detail}}) from error


class Input(serializers.Serializer[Any]):
    """Refuses fields that it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError(
                {str(name): "This field is not known." for name in unknown}
            )
        return super().to_internal_value(data)


class EmailField(serializers.EmailField):
    """An email address, in lower case."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).lower()


class NewUserSerializer(Input):
    email = EmailField(max_length=254)
    password = serializers.CharField(
        min_length=8, max_length=128, trim_whitespace=False
    )


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "email", "created_at"]


class CredentialsSerializer(Input):
    email = EmailField(max_length=254)
    password = serializers.CharField(
        max_length=128, trim_whitespace=False, allow_blank=True
    )


class NewProductSerializer(Input, serializers.ModelSerializer[Product]):
    # Declared, or it would ask the database whether it is taken; that somebody has just
    # taken it only shows when the product is stored.
    sku = serializers.RegexField(r"^[A-Za-z0-9][A-Za-z0-9-]*$", max_length=64)

    class Meta:
        model = Product
        fields = ["sku", "name", "price_cents", "stock"]

    def validate_sku(self, sku: str) -> str:
        return sku.upper()


class ProductChangesSerializer(Input, serializers.ModelSerializer[Product]):
    """What is left out, or null, stays as it is."""

    class Meta:
        model = Product
        fields = ["name", "price_cents", "stock"]

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = {name: value for name, value in data.items() if value is not None}
        return super().to_internal_value(data)


class ProductSerializer(serializers.ModelSerializer[Product]):
    class Meta:
        model = Product
        fields = ["id", "sku", "name", "price_cents", "stock"]


class PriceQuerySerializer(Input):
    currency = serializers.RegexField(r"^[A-Za-z]{3}$")

    def validate_currency(self, currency: str) -> str:
        return currency.upper()


class NewOrderLineSerializer(Input):
    product_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_INTEGER)


class NewOrderSerializer(Input):
    lines = serializers.ListField(
        child=NewOrderLineSerializer(), allow_empty=False, max_length=100
    )


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    class Meta:
        model = OrderLine
        fields = ["product_id", "quantity", "unit_price_cents"]


class OrderSerializer(serializers.ModelSerializer[Order]):
    lines = OrderLineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["id", "user_id", "status", "lines", "total_cents", "created_at"]
