"""Attaches an ASGI application: FastAPI, Starlette, Gradio and others; they run on asyncio."""

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from maskwatch.client.middleware import Middleware
from maskwatch.client.options import ClientOptions, Mode
from maskwatch.client.sidecar import Headers, Refusal
from maskwatch.client.tap import BodyTap

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
_DESCRIPTIONS = (b"content-type", b"content-encoding")


class ASGIMiddleware(Middleware):
    """``app.add_middleware(ASGIMiddleware, options=ClientOptions("http://127.0.0.1:8080"))``.

    The client is what the server says in the scope: let the server, or something outside of this,
    correct it.
    """

    def __init__(self, app: Application, options: ClientOptions) -> None:
        super().__init__(options)
        self._app = app
        self._threads = ThreadPoolExecutor(options.max_screenings, "maskwatch-screening")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is no HTTP passes untouched."""
        if scope["type"] != "http" or scope["path"] in self._options.plain_paths:
            await self._app(scope, receive, send)
        elif self._options.mode is Mode.GATE:
            await self._gate(scope, receive, send)
        else:
            await self._observe(scope, receive, send)

    async def _observe(self, scope: Scope, receive: Receive, send: Send) -> None:
        tap = BodyTap(self._options.max_body_bytes, _announced_bytes(scope))
        content_type = dict(_describe_body(scope)).get("content-type", "")
        watch = self._watch(content_type, _sender(scope), tap)

        async def tapped_receive() -> Message:
            message = await receive()
            _keep(message, tap)
            return message

        async def watched_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                watch.status = message["status"]
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                # Not when the application returns: tasks in the background may follow.
                watch.finish()

        try:
            await self._app(scope, tapped_receive, watched_send)
        finally:
            watch.finish()

    async def _gate(self, scope: Scope, receive: Receive, send: Send) -> None:
        tap = BodyTap(self._options.max_body_bytes)
        messages: list[Message] = []
        while not tap.is_whole and not tap.is_over:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            messages.append(message)
            _keep(message, tap)
        refusal = await self._judge(scope, tap)
        if refusal is not None:
            await _refuse(refusal, send)
            return
        messages.reverse()

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)

    async def _judge(self, scope: Scope, tap: BodyTap) -> Refusal | None:
        if tap.is_over:
            return self._screening.judge_too_large()
        if not tap.size:
            return None
        headers, sender, body = _describe_body(scope), _sender(scope), b"".join(tap.chunks)
        ask = partial(self._screening.ask, body, headers, sender)
        return await get_running_loop().run_in_executor(self._threads, ask)


def _keep(message: Message, tap: BodyTap) -> None:
    if message["type"] != "http.request":
        return
    tap.take(message.get("body", b""))
    if not message.get("more_body"):
        tap.end()


def _announced_bytes(scope: Scope) -> int | None:
    """Bytes of the body; ``None`` for one that comes in chunks, 0 for none at all."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    length = headers.get(b"content-length", b"")
    if length.isdigit():
        return int(length)
    return None if b"transfer-encoding" in headers else 0


def _describe_body(scope: Scope) -> Headers:
    """What the client says the body is; where it says so twice, both go on."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in scope["headers"]
        if name.lower() in _DESCRIPTIONS
    ]


def _sender(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


async def _refuse(refusal: Refusal, send: Send) -> None:
    length = ("Content-Length", str(len(refusal.document)))
    headers = [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in (*refusal.headers, length)
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.document})
