"""HTTP connections that do not wait for ever, on top of uvicorn's h11 protocol."""

import socket
from asyncio import Protocol, TimerHandle, Transport
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from inference.metrics import Metrics

_FULL, _ENDLESS = "full", "endless"


class Awaited(StrEnum):
    """What a connection waits for its peer to do."""

    HEADERS = "headers"
    BODY = "body"
    READ = "read"


@dataclass(frozen=True)
class ConnectionLimits:
    """What one peer, and all of them together, may cost.

    Attributes:
        header_seconds: from the connection, or from the first byte of a later request, until its
            headers are complete.
        body_seconds: from there until the body is complete, even if it is answered before.
        send_seconds: until an answer is read.
        most_connections: that are open at the same time.
        most_drained_bytes: of a body, that are thrown away after it was answered. They are read, or
            else the peer would not read the answer before it has sent them all.
    """

    header_seconds: float
    body_seconds: float
    send_seconds: float
    most_connections: int
    most_drained_bytes: int

    def seconds(self, awaited: Awaited) -> float:
        """How long a peer may take."""
        return {
            Awaited.HEADERS: self.header_seconds,
            Awaited.BODY: self.body_seconds,
            Awaited.READ: self.send_seconds,
        }[awaited]


class PatientProtocol(H11Protocol):
    """Closes connections whose peer takes too long, and those that are too many.

    One timer a connection. It starts when what is awaited changes, so that single bytes do not buy
    more time. While nothing is awaited, uvicorn's keep-alive timer runs, or the application works.
    """

    limits: ClassVar[ConnectionLimits]
    metrics: ClassVar[Metrics]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._awaited: Awaited | None = None
        self._timer: TimerHandle | None = None
        self._drained = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start to wait for headers, unless the connection is one too many."""
        super().connection_made(transport)
        _send_at_once(transport)
        if len(self.connections) > self.limits.most_connections:
            self._close(_FULL)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_for(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and count those that nobody wants."""
        super().data_received(data)
        self._drained = self._drained + len(data) if self._is_answered_early() else 0
        if self._drained > self.limits.most_drained_bytes:
            self._close(_ENDLESS)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait until the answer is read, and for the rest of the body."""
        super().on_response_complete()
        self._watch()

    def _is_answered_early(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete

    def _watch(self) -> None:
        awaited = self._now_awaited()
        if awaited is not self._awaited:
            self._wait_for(awaited)

    def _now_awaited(self) -> Awaited | None:
        if self.transport.get_write_buffer_size():
            return Awaited.READ
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return Awaited.BODY
        is_idle = self.timeout_keep_alive_task is not None
        return Awaited.HEADERS if self.conn.their_state is h11.IDLE and not is_idle else None

    def _wait_for(self, awaited: Awaited | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._awaited, self._timer = awaited, None
        if awaited is not None:
            self._timer = self.loop.call_later(self.limits.seconds(awaited), self._out_of_patience)

    def _out_of_patience(self) -> None:
        late = self._awaited
        self._wait_for(None)
        if late is not None and self._now_awaited() is late:
            self._close(late)
        self._watch()

    def _close(self, why: str) -> None:
        self.metrics.closed.labels(why).inc()
        # At once: an orderly end would first wait for the peer to read.
        self.transport.abort()


def _send_at_once(transport: Transport) -> None:
    """Let the second part of an answer not wait until the peer has confirmed the first.

    That takes 40 ms, and asyncio sees to it only where the listener was made with the protocol's
    number.
    """
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def patient_protocol(limits: ConnectionLimits, metrics: Metrics) -> type[Protocol]:
    """The class that uvicorn makes connections of."""
    return type("LimitedProtocol", (PatientProtocol,), {"limits": limits, "metrics": metrics})
