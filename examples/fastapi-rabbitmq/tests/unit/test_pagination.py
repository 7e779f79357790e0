import pytest
from pydantic import ValidationError

from shop.pagination import PageParams, count_pages


@pytest.mark.parametrize(
    ("total", "pages"),
    [(0, 0), (1, 1), (20, 1), (21, 2)],
)
def test_last_page_may_be_shorter(total: int, pages: int) -> None:
    assert count_pages(total, size=20) == pages


@pytest.mark.parametrize(("page", "offset"), [(1, 0), (2, 10), (7, 60)])
def test_offset_skips_earlier_pages(page: int, offset: int) -> None:
    assert PageParams(page=page, size=10).offset == offset


@pytest.mark.parametrize("params", [{"page": 0}, {"size": 0}, {"size": 101}])
def test_refuses_pages_that_cannot_be(params: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        PageParams(**params)
