from app.config import PAGE_SIZE


def test_pages_have_a_size():
    assert PAGE_SIZE > 0
