import asyncio

from shop.stock_feed import MAX_WAITING, StockFeed


def test_a_listener_that_falls_behind_is_let_go() -> None:
    async def hear_all() -> list[list[int]]:
        feed = StockFeed()
        with feed.listen() as changes:
            for product_id in range(MAX_WAITING + 2):
                feed.announce([product_id])
            return [changed.product_ids async for changed in changes]

    heard = asyncio.run(hear_all())

    assert heard == [[product_id] for product_id in range(MAX_WAITING)]
