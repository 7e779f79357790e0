"""Long lists, one page at a time."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field
from sqlalchemy import Select

from .database import db

ItemT = TypeVar("ItemT", bound=BaseModel)


class PageParams(BaseModel):
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Field(ge=1, le=100)] = 20


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]
    total: int
    page: int
    size: int
    pages: int


def paginate(
    statement: Select[Any],
    schema: type[ItemT],
    params: PageParams,
) -> Page[ItemT]:
    """Run an ordered select of one entity, for one page of it as `schema`."""
    found = db.paginate(
        statement,
        page=params.page,
        per_page=params.size,
        # A page behind the last one is empty, not an error.
        error_out=False,
    )
    return Page(
        items=[schema.model_validate(row) for row in found.items],
        total=found.total or 0,
        page=params.page,
        size=params.size,
        pages=found.pages,
    )
