"""The side of a proxy that clients connect to: uvicorn, for streams and WebSockets."""

from asyncio import Protocol
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from inference.upstream.relay.limits import RelayLimits
from store.http.protocol import ConnectionLimits, PatientProtocol

_FRAMING = (b"content-length", b"transfer-encoding")
_NO_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_NO_CLOSE = 1006
_PING_SECONDS = 20.0


class StreamingProtocol(PatientProtocol):
    """Also closes connections whose peer stops to read in the middle of an answer.

    The limit runs from the last bytes that the peer took, so a long answer may take its time.
    """

    def pause_writing(self) -> None:
        """Wait until the peer has read some of what was sent."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """The peer has read: what it reads next has its own time."""
        super().resume_writing()
        self._wait_for(None)
        self._watch()

    def _should_upgrade(self) -> bool:
        """Open no WebSocket for what is no handshake: it goes on as the request that it is.

        Nobody would read its body, nor close the connection.
        """
        is_plain = not any(name in _FRAMING for name, _ in self.headers)
        is_handshake = self.scope["method"] == "GET" and is_plain
        return is_handshake and super()._should_upgrade()


class ClientWebSocket(WebSocketsSansIOProtocol):
    """Closes what cannot be opened, and tells a peer that vanished (1006) from one that closed."""

    def data_received(self, data: bytes) -> None:
        """Take bytes in; a handshake comes whole, so one that was not understood never will be."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(_NO_HANDSHAKE)
            self.transport.close()

    async def send(self, message: Any) -> None:
        """Send a part of what the application answers; a refusal is an answer too."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # Else uvicorn would write an error into the log for every refusal.
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application how the connection ended."""
        if self.conn.close_rcvd is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": _NO_CLOSE})
        super().connection_lost(exc)


def proxy_config(
    app: ASGIApp,
    connections: ConnectionLimits,
    relay: RelayLimits,
    *,
    idle_seconds: int,
    count_closed: Callable[[str], None],
) -> Config:
    """How uvicorn serves a proxy: no header of its own, and the limits of every listener of ours.

    WebSockets are under the same limits until they are open; then pings that are not answered
    close them.

    Args:
        idle_seconds: between an answer and the next request of a connection.
        count_closed: is told why a connection is closed on its peer.
    """
    members = {"limits": connections, "count_closed": staticmethod(count_closed)}
    http: type[Protocol] = type("LimitedStreamingProtocol", (StreamingProtocol,), members)
    return Config(
        app,
        http=http,
        ws=ClientWebSocket,
        ws_max_size=relay.max_message_bytes,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        # The upstream sends what was agreed with it; nothing is packed on the way.
        ws_per_message_deflate=False,
        timeout_keep_alive=idle_seconds,
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
