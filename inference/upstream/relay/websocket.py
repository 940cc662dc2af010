"""Passes the messages of a WebSocket on, in both directions."""

from asyncio import FIRST_COMPLETED, create_task, get_running_loop, timeout, wait
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from inference.upstream.relay.address import UpstreamAddress
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.forwarding import Forwarding
from inference.upstream.relay.headers import Headers, keep_end_to_end, leave_out
from inference.upstream.relay.limits import RelayLimits
from inference.upstream.relay.pool import ConnectionPool

# Written by the library, which agrees on them with the upstream.
_OF_HANDSHAKE = frozenset(
    (
        b"content-length",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-key",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
    )
)
_NORMAL, _NO_CODE, _NO_CLOSE = 1000, 1005, 1006
# "The server was acting as a gateway and received an invalid response": 1006 may not be sent.
_BAD_GATEWAY = 1014


class _Handshake(ClientProtocol):
    """The client's own headers, its ``Host`` among them."""

    def __init__(
        self, uri: WebSocketURI, subprotocols: list[str], headers: Headers, max_bytes: int
    ) -> None:
        offered = [Subprotocol(name) for name in subprotocols]
        super().__init__(uri, subprotocols=offered or None, max_size=max_bytes)
        self._headers = headers

    def connect(self) -> Request:
        """The request that opens the connection."""
        request = super().connect()
        del request.headers["Host"]
        request.headers.update((n.decode("ascii"), v.decode("latin-1")) for n, v in self._headers)
        return request


class WebSocketRelay:
    """Stands between WebSocket clients and one upstream.

    Pings are answered on each side by itself. A close code goes on as it came; a close without one
    goes on as 1000, and an upstream that vanishes is told as 1014.
    """

    def __init__(
        self,
        address: UpstreamAddress,
        pool: ConnectionPool,
        forwarding: Forwarding,
        limits: RelayLimits,
    ) -> None:
        self._address = address
        self._pool = pool
        self._forwarding = forwarding
        self._limits = limits

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the same WebSocket at the upstream, and pass messages on until one side closes it.

        An upstream that answers the handshake otherwise is passed on as that answer.

        Raises:
            UpstreamFault: there is no answer; the client was sent nothing.
        """
        self._forwarding.check(scope)
        await receive()
        async with self._pool.place():
            try:
                upstream = await self._open(scope)
            except InvalidStatus as error:
                await _deny(send, error.response)
                return
            try:
                await send(_accept(upstream))
                await _pass_messages(receive, send, upstream)
            finally:
                upstream.transport.abort()

    async def _open(self, scope: Scope) -> ClientConnection:
        try:
            async with timeout(self._limits.connect_seconds):
                upstream = await self._connect(scope)
            async with timeout(self._limits.answer_seconds):
                return await _shake_hands(upstream)
        except TimeoutError:
            raise UpstreamFault(FaultKind.TIMEOUT, "The upstream opens no WebSocket.") from None
        except OSError:
            raise UpstreamFault(FaultKind.REFUSED, "The upstream takes no connection.") from None
        except InvalidStatus:
            raise
        except (InvalidHandshake, ConnectionClosed):
            sentence = "The upstream's answer opens no WebSocket."
            raise UpstreamFault(FaultKind.BAD_ANSWER, sentence) from None

    async def _connect(self, scope: Scope) -> ClientConnection:
        address, limits = self._address, self._limits
        headers = leave_out(self._forwarding.write_headers(scope), _OF_HANDSHAKE)
        path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("ascii")
        uri = WebSocketURI(address.is_encrypted, address.host, address.port, path, query)
        protocol = _Handshake(uri, scope["subprotocols"], headers, limits.max_message_bytes)
        _, upstream = await get_running_loop().create_connection(
            lambda: ClientConnection(protocol), address.host, address.port, ssl=self._pool.tls
        )
        return upstream


async def _shake_hands(upstream: ClientConnection) -> ClientConnection:
    try:
        await upstream.handshake(user_agent_header=None)
    except BaseException:
        upstream.transport.abort()
        raise
    upstream.start_keepalive()
    return upstream


def _accept(upstream: ClientConnection) -> Message:
    headers = _headers_of(upstream.response) if upstream.response else []
    return {"type": "websocket.accept", "subprotocol": upstream.subprotocol, "headers": headers}


async def _deny(send: Send, answer: Response) -> None:
    start = {"status": answer.status_code, "headers": _headers_of(answer)}
    await send({"type": "websocket.http.response.start", **start})
    await send({"type": "websocket.http.response.body", "body": bytes(answer.body or b"")})


def _headers_of(answer: Response) -> Headers:
    items = answer.headers.raw_items()
    pairs = [(name.encode("ascii"), value.encode("latin-1")) for name, value in items]
    return leave_out(keep_end_to_end(pairs), _OF_HANDSHAKE)


async def _pass_messages(receive: Receive, send: Send, upstream: ClientConnection) -> None:
    """Pass on both ways until one of them ends; the end of either is told to the other."""
    up = create_task(_pass_up(receive, upstream))
    down = create_task(_pass_down(upstream, send))
    try:
        await wait((up, down), return_when=FIRST_COMPLETED)
        if up.done():
            await _close_upstream(upstream, up.result())
        elif (end := down.result()) is not None:
            await send(end)
    finally:
        up.cancel()
        down.cancel()


async def _pass_up(receive: Receive, upstream: ClientConnection) -> Message:
    """Pass on what the client sends, and return how it ends.

    An upstream that is closed takes nothing more; the other way tells the client so.
    """
    while (message := await receive())["type"] != "websocket.disconnect":
        text = message.get("text")
        with suppress(ConnectionClosed):
            await upstream.send(message["bytes"] if text is None else text)
    return message


async def _pass_down(upstream: ClientConnection, send: Send) -> Message | None:
    """Pass on what the upstream sends, and return how it ends; nothing if the client is gone."""
    try:
        while True:
            data = await upstream.recv()
            kind = "text" if isinstance(data, str) else "bytes"
            await send({"type": "websocket.send", kind: data})
    except ConnectionClosed as error:
        return _close_client(error)
    except OSError:
        return None


async def _close_upstream(upstream: ClientConnection, end: Message) -> None:
    code = end.get("code", _NO_CODE)
    if code != _NO_CLOSE:
        await upstream.close(_NORMAL if code == _NO_CODE else code, end.get("reason") or "")


def _close_client(error: ConnectionClosed) -> Message:
    close = error.rcvd or error.sent
    if close is None:
        return {"type": "websocket.close", "code": _BAD_GATEWAY}
    code = _NORMAL if close.code == _NO_CODE else close.code
    return {"type": "websocket.close", "code": code, "reason": close.reason}
