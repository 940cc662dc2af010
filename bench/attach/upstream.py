"""The service that is attached: a page, a large file, a stream of events, an echo."""

from asyncio import sleep
from collections.abc import AsyncIterator
from time import monotonic

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

LARGE_BYTES = 200_000_000
EVENTS = 100
_PIECE = bytes(1_000_000)
_EVENT_SECONDS = 0.01
# What nginx needs to pass events on at once.
_UNBUFFERED = {"X-Accel-Buffering": "no"}


async def _answer_page(_request: Request) -> Response:
    return PlainTextResponse("ok")


async def _answer_file(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGE_BYTES // len(_PIECE)):
            yield _PIECE

    return StreamingResponse(pieces(), headers={"Content-Length": str(LARGE_BYTES)})


async def _answer_events(_request: Request) -> Response:
    """Events that say when they were sent, by the machine's steady clock."""

    async def events() -> AsyncIterator[str]:
        for _ in range(EVENTS):
            await sleep(_EVENT_SECONDS)
            yield f"data: {monotonic()}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers=_UNBUFFERED)


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        return


def build_upstream() -> Starlette:
    """The application."""
    routes = [
        Route("/page", _answer_page),
        Route("/file", _answer_file),
        Route("/events", _answer_events),
        WebSocketRoute("/echo", _echo),
    ]
    return Starlette(routes=routes)
