"""Long lists, one page at a time."""

from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

ItemT = TypeVar("ItemT", bound=BaseModel)


class PageParams(BaseModel):
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Field(ge=1, le=100)] = 20

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


PageQuery = Annotated[PageParams, Query()]


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]
    total: int
    page: int
    size: int
    pages: int


def count_pages(total: int, size: int) -> int:
    return -(-total // size)


async def paginate(
    session: AsyncSession,
    statement: Select[Any],
    schema: type[ItemT],
    params: PageParams,
) -> Page[ItemT]:
    """Run an ordered select of one entity, for one page of it as `schema`."""
    rows = statement.order_by(None).subquery()
    total = await session.scalar(select(func.count()).select_from(rows)) or 0
    found = await session.scalars(statement.limit(params.size).offset(params.offset))
    return Page(
        items=[schema.model_validate(row) for row in found],
        total=total,
        page=params.page,
        size=params.size,
        pages=count_pages(total, params.size),
    )
