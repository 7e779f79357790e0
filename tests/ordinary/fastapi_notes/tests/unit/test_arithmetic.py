async def test_coroutines_need_no_mark_here() -> None:
    assert 1 + 1 == 2
