from contextlib import suppress

from anyio import create_task_group
from anyio.streams.memory import MemoryObjectReceiveStream
from fastapi import APIRouter, WebSocket, WebSocketDisconnect, status
from fastapi.websockets import WebSocketState

from ..dependencies import StockFeedDep
from ..stock_feed import StockChanged

router = APIRouter(tags=["products"])


@router.websocket("/stock")
async def follow_stock(websocket: WebSocket, feed: StockFeedDep) -> None:
    """Send every change of stock until the listener leaves or is too far behind."""
    # Listening comes first: whoever was accepted misses nothing.
    with feed.listen() as changes:
        await websocket.accept()
        async with create_task_group() as tasks:
            tasks.start_soon(send_all, changes, websocket)
            await until_closed(websocket)
            tasks.cancel_scope.cancel()


async def send_all(
    changes: MemoryObjectReceiveStream[StockChanged], websocket: WebSocket
) -> None:
    # The listener may leave at any moment, which `until_closed` learns, too.
    with suppress(WebSocketDisconnect):
        async for changed in changes:
            await websocket.send_text(changed.model_dump_json())
        await websocket.close(status.WS_1013_TRY_AGAIN_LATER, "Too far behind.")


async def until_closed(websocket: WebSocket) -> None:
    # What a listener says has no meaning here.
    while websocket.client_state is not WebSocketState.DISCONNECTED:
        await websocket.receive()
