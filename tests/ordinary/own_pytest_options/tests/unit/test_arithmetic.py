async def test_coroutines_need_no_mark_here():
    assert 1 + 1 == 2
