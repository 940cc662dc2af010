"""Passes everything on as it is, and watches: nothing is gated, checked or recorded."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.http.framing import OneFraming
from inference.http.problems import problem
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.answers.unpack import unpack_chunks
from inference.upstream.learning.collector import Collector
from inference.upstream.learning.sample import Sample
from inference.upstream.relay.exchange import Ending, Exchange
from inference.upstream.relay.faults import UpstreamFault
from inference.upstream.relay.relay import Relay
from store.requests.request_ids import new_request_id

_log = structlog.get_logger(__name__)

# Each may hold a request and an answer in memory; those beside them pass without being watched.
_MAX_WATCHED = 4
_FRAMING = {b"content-length", b"transfer-encoding"}


class LearningApp:
    """An ASGI application.

    Args:
        max_request_bytes: of a body that is watched; larger ones pass.
        max_answer_bytes: likewise.
        end: is called once there are enough samples.
    """

    def __init__(
        self,
        relay: Relay,
        collector: Collector,
        max_request_bytes: int,
        max_answer_bytes: int,
        end: Callable[[], None],
    ) -> None:
        self._relay = relay
        self._collector = collector
        self._max_request_bytes = max_request_bytes
        self._max_answer_bytes = max_answer_bytes
        self._end = end
        self._watched = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or one WebSocket."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._pass_websocket(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_body = any(name in _FRAMING for name, _ in scope["headers"])
        try:
            if not has_body:
                await self._relay.forward(scope, receive, send)
            elif self._watched >= _MAX_WATCHED:
                self._collector.leave_out()
                await self._relay.forward(scope, receive, send)
            else:
                await self._watch(scope, receive, send)
        except UpstreamFault as fault:
            response = problem(
                f"upstream_{fault.kind.value}",
                fault.kind.status,
                "The service gave no answer that can be passed on.",
                new_request_id(datetime.now(UTC)),
            )
            await response(scope, receive, send)

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._watched += 1
        try:
            body = _BodyTap(receive, self._max_request_bytes)
            answer = AnswerTap(self._max_answer_bytes)
            exchange = await self._relay.forward(scope, body.receive, send, tap=answer.take)
            await asyncio.to_thread(self._keep, scope, body, answer, exchange)
        finally:
            self._watched -= 1
        if self._collector.is_full:
            self._end()

    def _keep(self, scope: Scope, body: "_BodyTap", answer: AnswerTap, exchange: Exchange) -> None:
        if not exchange.status:
            return
        sample = Sample(
            scope["method"],
            scope["raw_path"],
            scope["headers"],
            body.take(),
            exchange.status,
            exchange.content_type,
            self._unpack(answer, exchange),
        )
        try:
            self._collector.add(sample)
        except Exception:  # noqa: BLE001
            # The client has its answer: a body that the search fails at is no reason to end.
            _log.exception("sample not read")
            self._collector.leave_out()

    def _unpack(self, answer: AnswerTap, exchange: Exchange) -> bytes | None:
        if exchange.ended is not Ending.WHOLE or not answer.is_whole:
            return None
        limit = self._max_answer_bytes
        try:
            return b"".join(unpack_chunks(answer.drain(), exchange.content_encoding, limit))
        except AnswerUnreadable:
            return None

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and end with the server, and with its event loop."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._relay.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _pass_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._relay.forward_websocket(scope, receive, send)
        except UpstreamFault:
            await send({"type": "websocket.close", "code": 1008})


def build_learning_app(app: LearningApp) -> ASGIApp:
    """The same behind the check that a request's length is said in one way."""
    return OneFraming(app)


class _BodyTap:
    """Keeps a request's body while it streams by, up to a limit."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._tap = AnswerTap(limit_bytes)
        self._is_complete = False

    async def receive(self) -> Message:
        """The next message, which goes on as it is."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._tap.take(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
        return message

    def take(self) -> bytes | None:
        """The body, if it was kept whole."""
        if not self._is_complete or not self._tap.is_whole:
            return None
        return b"".join(self._tap.drain())
