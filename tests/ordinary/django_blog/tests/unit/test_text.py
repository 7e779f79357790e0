from blog.text import excerpt


def test_short_text_is_kept() -> None:
    assert excerpt("short") == "short"


def test_long_text_is_cut() -> None:
    assert len(excerpt("long " * 20)) <= 40
