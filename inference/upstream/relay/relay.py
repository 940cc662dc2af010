"""Passes requests to an upstream and its answers back, piece by piece."""

from asyncio import Task, create_task
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import h11
from starlette.types import Receive, Scope, Send

from inference.upstream.relay.address import UpstreamAddress
from inference.upstream.relay.connection import UpstreamConnection
from inference.upstream.relay.exchange import Ending, Exchange
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.forwarding import Forwarding, SentBody
from inference.upstream.relay.headers import Headers, find_value
from inference.upstream.relay.limits import RelayLimits
from inference.upstream.relay.pool import ConnectionPool
from inference.upstream.relay.sinks import ClientSink, HeldAnswer, HoldingSink, Sink, Tap
from inference.upstream.relay.websocket import WebSocketRelay

# May be sent twice (RFC 9110, section 9.2.2): a connection that has rested may be closed just now.
_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))


@dataclass(frozen=True)
class _Request:
    """One request of a client, and what is sent up for it."""

    scope: Scope
    receive: Receive
    headers: Headers
    body: SentBody | None

    @property
    def has_stream(self) -> bool:
        """Whether its body comes from the client while it is sent up."""
        framing = (b"content-length", b"transfer-encoding")
        return self.body is None and any(name in framing for name, _ in self.headers)

    @property
    def may_repeat(self) -> bool:
        """Whether it can be sent again, by its meaning and because nothing of it is used up."""
        return self.scope["method"] in _IDEMPOTENT and not self.has_stream


@dataclass
class _Count:
    """What an exchange has come to until now."""

    began_at: float = field(default_factory=perf_counter)
    status: int = 0
    headers: Headers = field(default_factory=list)
    answer_seconds: float = 0.0
    sent_bytes: int = 0
    received_bytes: int = 0

    def note_head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        self.answer_seconds = perf_counter() - self.began_at

    def close(self, ended: Ending) -> Exchange:
        return Exchange(
            self.status,
            find_value(self.headers, b"content-type"),
            find_value(self.headers, b"content-encoding"),
            self.answer_seconds,
            perf_counter() - self.began_at,
            self.sent_bytes,
            self.received_bytes,
            ended,
        )


def _take_freely(_count: int) -> bool:
    """Nobody counts what is kept: its limit is small."""
    return True


class Relay:
    """Stands between clients and one upstream.

    Method, target and body go up as they came, the answer comes back as it was sent; headers go by
    the rules of ``headers`` and ``forwarding``. Nothing is followed, decoded or kept.
    """

    def __init__(
        self, address: UpstreamAddress, forwarding: Forwarding, limits: RelayLimits
    ) -> None:
        self._forwarding = forwarding
        self._limits = limits
        self._pool = ConnectionPool(address, limits)
        self._websockets = WebSocketRelay(address, self._pool, forwarding, limits)

    async def forward(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        body: SentBody | None = None,
        tap: Tap | None = None,
        extra_headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> Exchange:
        """Pass a request on and its answer back, both as they come.

        An exchange that ends as ``upstream_broke`` was not completed: if the application returns
        now, the server closes the connection, and the client sees that something is missing.

        Args:
            body: is sent instead of the client's, which must have been received by then.
            tap: is called with every piece of the answer's body before it is sent.
            extra_headers: of the answer, in place of the upstream's of the same names.

        Raises:
            UpstreamFault: there is no answer; the client was sent nothing.
        """
        return await self._exchange(scope, receive, body, ClientSink(send, extra_headers, tap))

    async def hold(
        self,
        scope: Scope,
        receive: Receive,
        limit_bytes: int,
        *,
        body: SentBody | None = None,
        take_memory: Callable[[int], bool] = _take_freely,
        folder: Path | None = None,
    ) -> HeldAnswer:
        """Pass a request on and keep its answer, for somebody to look at before it is released.

        Args:
            take_memory: is told how many bytes more are to be kept, and says whether they may.
            folder: for what is large; without one all is in memory.

        Raises:
            UpstreamFault: there is no answer, it is larger than the limit, or there is no room.
        """
        sink = HoldingSink(limit_bytes, take_memory, folder)
        exchange = await self._exchange(scope, receive, body, sink)
        return HeldAnswer(exchange, sink.status, sink.headers, sink.kept)

    async def forward_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the same WebSocket at the upstream, and pass messages on until one side closes it.

        Raises:
            UpstreamFault: there is no answer; the client was sent nothing.
        """
        await self._websockets.forward(scope, receive, send)

    @property
    def open_connections(self) -> int:
        """Connections to the upstream that requests and WebSockets use just now."""
        return self._pool.in_use

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._pool.close()

    async def _exchange(
        self, scope: Scope, receive: Receive, body: SentBody | None, sink: Sink
    ) -> Exchange:
        self._forwarding.check(scope)
        headers = self._forwarding.write_headers(scope, body)
        request, count = _Request(scope, receive, headers, body), _Count()
        while True:
            async with self._pool.connection(is_new=not request.may_repeat) as connection:
                try:
                    return await self._use(connection, request, sink, count)
                except UpstreamFault as fault:
                    if sink.is_begun:
                        return count.close(Ending.UPSTREAM_BROKE)
                    if not (request.may_repeat and connection.was_stale(fault.kind)):
                        raise

    async def _use(
        self, connection: UpstreamConnection, request: _Request, sink: Sink, count: _Count
    ) -> Exchange:
        async with _sending(connection, request, count) as sender:
            try:
                await self._pass_answer(connection, sink, count)
            except UpstreamFault:
                if not sender.done():
                    raise
            if sender.done():
                await sender
                return count.close(Ending.CLIENT_LEFT)
        return count.close(Ending.WHOLE)

    async def _pass_answer(self, connection: UpstreamConnection, sink: Sink, count: _Count) -> None:
        head = await connection.read_head(self._limits.answer_seconds)
        count.note_head(head.status, head.headers)
        await sink.begin(head.status, head.headers)
        while (data := await connection.read_body(self._limits.silence_seconds)) is not None:
            count.received_bytes += len(data)
            await sink.write(data)
        await sink.end()


@asynccontextmanager
async def _sending(
    connection: UpstreamConnection, request: _Request, count: _Count
) -> AsyncIterator[Task[None]]:
    """Send a request while its answer is read; the task ends only if the client leaves."""
    sender = create_task(_send(connection, request, count))
    try:
        yield sender
    finally:
        sender.cancel()


async def _send(connection: UpstreamConnection, request: _Request, count: _Count) -> None:
    """Send a request, then wait until the client leaves, and close the connection.

    An upstream may answer before it has read everything, and read no further. What the client
    still sends is thrown away then.
    """
    with suppress(UpstreamFault):
        await _send_request(connection, request, count)
    while (await request.receive())["type"] != "http.disconnect":
        pass
    connection.abort()


async def _send_request(connection: UpstreamConnection, request: _Request, count: _Count) -> None:
    scope = request.scope
    head = h11.Request(method=scope["method"], target=target_of(scope), headers=request.headers)
    await connection.send(head)
    if request.body is not None:
        await connection.send(h11.Data(request.body.data))
        count.sent_bytes = len(request.body.data)
    elif request.has_stream:
        await _send_stream(connection, request, count)
    await connection.send(h11.EndOfMessage())


async def _send_stream(connection: UpstreamConnection, request: _Request, count: _Count) -> None:
    has_more = True
    while has_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            connection.abort()
            raise UpstreamFault(FaultKind.BROKEN, "The client left.")
        has_more = message.get("more_body", False)
        if data := message.get("body", b""):
            await connection.send(h11.Data(data))
            count.sent_bytes += len(data)


def target_of(scope: Scope) -> bytes:
    """Path and query as the client sent them; nothing is decoded or put in order."""
    path, query = scope["raw_path"], scope["query_string"]
    return bytes(path + b"?" + query if query else path)
