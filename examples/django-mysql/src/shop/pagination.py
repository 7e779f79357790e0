"""Long lists, one page at a time."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

ModelT = TypeVar("ModelT", bound=Model)


class PageParams(serializers.Serializer[Any]):
    page = serializers.IntegerField(min_value=1, max_value=1_000_000, default=1)
    size = serializers.IntegerField(min_value=1, max_value=100, default=20)


def count_pages(total: int, size: int) -> int:
    """How many pages there are; the last may be shorter."""
    return -(-total // size)


def paginate(
    request: Request,
    queryset: QuerySet[ModelT],
    item: type[serializers.ModelSerializer[ModelT]],
) -> Response:
    """Answer with the page of an ordered queryset that the request asks for."""
    params = PageParams(data=request.query_params.dict())
    if not params.is_valid():
        raise serializers.ValidationError({"query": params.errors})
    page, size = params.validated_data["page"], params.validated_data["size"]
    total = queryset.count()
    found = queryset[(page - 1) * size : page * size]
    return Response(
        {
            "items": item(found, many=True).data,
            "total": total,
            "page": page,
            "size": size,
            "pages": count_pages(total, size),
        }
    )
