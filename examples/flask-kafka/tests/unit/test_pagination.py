import pytest
from pydantic import ValidationError

from shop.pagination import PageParams


@pytest.mark.parametrize("params", [{"page": 0}, {"size": 0}, {"size": 101}])
def test_refuses_pages_that_cannot_be(params: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        PageParams(**params)
