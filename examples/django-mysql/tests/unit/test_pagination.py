import pytest

from shop.pagination import PageParams, count_pages


@pytest.mark.parametrize(
    ("total", "pages"),
    [(0, 0), (1, 1), (20, 1), (21, 2)],
)
def test_last_page_may_be_shorter(total: int, pages: int) -> None:
    assert count_pages(total, size=20) == pages


@pytest.mark.parametrize("params", [{"page": 0}, {"size": 0}, {"size": 101}])
def test_refuses_pages_that_cannot_be(params: dict[str, int]) -> None:
    assert not PageParams(data=params).is_valid()
