"""Tells whoever is looking at products that their stock has changed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from anyio import WouldBlock, create_memory_object_stream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic import BaseModel

# A listener that is further behind is let go, so that it cannot fill the memory.
MAX_WAITING = 100


class StockChanged(BaseModel):
    """These products have another stock now."""

    product_ids: list[int]


class StockFeed:
    """The listeners of this process. Several processes need a broker between them."""

    def __init__(self) -> None:
        self._listeners: set[MemoryObjectSendStream[StockChanged]] = set()

    @contextmanager
    def listen(self) -> Iterator[MemoryObjectReceiveStream[StockChanged]]:
        """Give what changes from now on. It ends for a listener that falls behind."""
        sender, receiver = create_memory_object_stream[StockChanged](MAX_WAITING)
        with sender, receiver:
            self._listeners.add(sender)
            try:
                yield receiver
            finally:
                self._listeners.discard(sender)

    def announce(self, product_ids: Iterable[int]) -> None:
        """Tell every listener; none of them can make this wait."""
        changed = StockChanged(product_ids=list(product_ids))
        for listener in list(self._listeners):
            try:
                listener.send_nowait(changed)
            except WouldBlock:
                self._listeners.discard(listener)
                listener.close()
