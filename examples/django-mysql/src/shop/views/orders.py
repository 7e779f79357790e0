from http import HTTPStatus

from rest_framework.response import Response
from rest_framework.views import APIView

from ..models import Order
from ..orders import find_order, place_order
from ..pagination import paginate
from ..security import AuthenticatedRequest
from ..serializers import NewOrderSerializer, OrderSerializer, valid_id


class OrderListView(APIView):
    def get(self, request: AuthenticatedRequest) -> Response:
        own = Order.objects.filter(user=request.user)
        newest_first = own.order_by("-pk").prefetch_related("lines")
        return paginate(request, newest_first, OrderSerializer)

    def post(self, request: AuthenticatedRequest) -> Response:
        new = NewOrderSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        placed = place_order(request.user, new.validated_data["lines"])
        return Response(placed, HTTPStatus.CREATED)


class OrderView(APIView):
    def get(self, request: AuthenticatedRequest, order_id: str) -> Response:
        return Response(find_order(request.user, valid_id("order_id", order_id)))
