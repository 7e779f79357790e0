from http import HTTPStatus

from django.db import transaction
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..errors import conflict
from ..exchange_rates import get_exchange_rates
from ..models import Product
from ..pagination import paginate
from ..serializers import (
    NewProductSerializer,
    PriceQuerySerializer,
    ProductChangesSerializer,
    ProductSerializer,
    valid_id,
)


class PublicReadsView(APIView):
    permission_classes = [IsAuthenticatedOrReadOnly]

    def perform_authentication(self, request: Request) -> None:
        """Leave it until a permission wants to know: who reads needs no valid token."""


class ProductListView(PublicReadsView):
    def get(self, request: Request) -> Response:
        return paginate(request, Product.objects.order_by("pk"), ProductSerializer)

    def post(self, request: Request) -> Response:
        new = NewProductSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        sku = new.validated_data["sku"]
        with conflict(f"The SKU {sku} is already taken."):
            product = new.save()
        return Response(ProductSerializer(product).data, HTTPStatus.CREATED)


class ProductView(PublicReadsView):
    def get(self, request: Request, product_id: str) -> Response:
        pk = valid_id("product_id", product_id)
        product = Product.objects.filter(pk=pk).first()
        if product is None:
            raise not_found(pk)
        return Response(ProductSerializer(product).data)

    @transaction.atomic
    def patch(self, request: Request, product_id: str) -> Response:
        pk = valid_id("product_id", product_id)
        product = Product.objects.select_for_update().filter(pk=pk).first()
        if product is None:
            raise not_found(pk)
        changes = ProductChangesSerializer(product, data=request.data, partial=True)
        changes.is_valid(raise_exception=True)
        return Response(ProductSerializer(changes.save()).data)

    def delete(self, request: Request, product_id: str) -> Response:
        pk = valid_id("product_id", product_id)
        with conflict(f"Product {pk} was ordered and cannot be removed."):
            removed, _ = Product.objects.filter(pk=pk).delete()
        if not removed:
            raise not_found(pk)
        return Response(status=HTTPStatus.NO_CONTENT)


class PriceView(PublicReadsView):
    def get(self, request: Request, product_id: str) -> Response:
        query = PriceQuerySerializer(data=request.query_params.dict())
        if not query.is_valid():
            raise ValidationError({"query": query.errors})
        pk = valid_id("product_id", product_id)
        product = Product.objects.filter(pk=pk).first()
        if product is None:
            raise not_found(pk)
        currency = query.validated_data["currency"]
        rate = get_exchange_rates().find(currency)
        if rate is None:
            raise NotFound(f"There is no exchange rate of {currency}.")
        price_cents = round(product.price_cents * rate)
        return Response({"currency": currency, "price_cents": price_cents})


def not_found(product_id: int) -> NotFound:
    """The error for a product that there is not."""
    return NotFound(f"Product {product_id} does not exist.")
