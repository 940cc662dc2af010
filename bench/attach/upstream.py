"""The service that is attached: a page, a large file, events, an echo, and two that parse."""

from asyncio import sleep
from collections.abc import AsyncIterator
from functools import cache
from io import BytesIO
from time import monotonic

import numpy as np
from PIL import Image as Pillow
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

LARGE_BYTES = 200_000_000
EVENTS = 100
_PIECE = bytes(1_000_000)
_EVENT_SECONDS = 0.01
# Of the pictures that are sent: one megapixel.
SIDE = 1_000
_MASKS = 20
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
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


@cache
def _draw_labels(side: int) -> bytes:
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[200:400, 400:600] = 13
    labels[400:800, 350:650] = 5
    buffer = BytesIO()
    Pillow.fromarray(labels).resize((side, side), Pillow.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def _find_side(body: bytes) -> int:
    """The side of a square PNG (its width stands in its first chunk); other files have ``SIDE``."""
    start = body.find(_PNG_SIGNATURE)
    return SIDE if start < 0 else int.from_bytes(body[start + 16 : start + 20])


async def _answer_parse(request: Request) -> Response:
    """Label numbers at once: what a model would take is nothing that a proxy adds."""
    side = _find_side(await request.body())
    return Response(_draw_labels(side), media_type="image/png")


async def _answer_call(request: Request) -> Response:
    """Masks as nested lists, 60 MB, in ModelScope's form."""
    await request.body()
    row = b"[" + b", ".join([b"0"] * (SIDE // 2) + [b"1"] * (SIDE // 2)) + b"]"
    mask = b"[" + b", ".join([row] * SIDE) + b"]"

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"masks": ['
        for number in range(_MASKS):
            yield (b", " if number else b"") + mask
        labels, scores = b", ".join([b'"Face"'] * _MASKS), b", ".join([b"0.5"] * _MASKS)
        yield b'], "labels": [' + labels + b'], "scores": [' + scores + b"]}"

    return StreamingResponse(pieces(), media_type="application/json")


def build_upstream() -> Starlette:
    """The application."""
    routes = [
        Route("/page", _answer_page),
        Route("/file", _answer_file),
        Route("/events", _answer_events),
        Route("/parse", _answer_parse, methods=["POST"]),
        Route("/call", _answer_call, methods=["POST"]),
        WebSocketRoute("/echo", _echo),
    ]
    return Starlette(routes=routes)
