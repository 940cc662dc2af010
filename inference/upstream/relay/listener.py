"""The side of a proxy that clients connect to: uvicorn, for streams and WebSockets."""

from asyncio import Protocol
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp
from uvicorn import Config

from inference.upstream.relay.limits import RelayLimits
from store.http.protocol import ConnectionLimits, PatientProtocol
from store.http.websocket import PatientWebSocket

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


class ClientWebSocket(PatientWebSocket):
    """Tells a peer that vanished (1006) from one that closed."""

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
