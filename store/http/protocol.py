"""HTTP connections that do not wait for ever, on top of uvicorn's h11 protocol."""

import socket
from asyncio import BufferedProtocol, Protocol, TimerHandle, Transport
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from store.configuration.network_groups import ConnectionsGroup
from store.http.metered import MeteredConnection
from store.http.parting import PartingTransport

_FULL, _FRAMING = "full", "framing"
# So much of one connection is looked at before the others have their turn.
_READ_BYTES = 16_384
# A body in one piece costs no more to take apart for that: it is read in larger ones. Connections
# share the place, for what is read is copied before the next one reads.
_CONTENT = bytearray(65_536)
# What nobody will look at is read in larger pieces, all into the same place.
_THROWN_AWAY = bytearray(262_144)
_LENGTHS = (b"content-length", b"transfer-encoding")
_MAY_ANSWER = (h11.IDLE, h11.SEND_RESPONSE)
_MAX_HEADER_BYTES = 16_384
# So much may come after an answer, for so long: else a sender that does not read while it sends
# would not learn why it was refused.
_MAX_DRAINED_BYTES = 2_000_000
_PARTING_SECONDS = 2
_HOLD_SECONDS = 1
# A slow upload is answered 408; the connection is closed only if it hangs on after that.
_ANSWER_SECONDS = 5


class Step(StrEnum):
    """What a connection waits for its peer to do."""

    HEADERS = "headers"
    BODY = "body"
    READ = "read"
    END = "endless"


@dataclass(frozen=True)
class ConnectionLimits:
    """What one peer, and all of them together, may cost.

    Attributes:
        header_seconds: from the connection, or from the first byte of a later request, until its
            headers are complete.
        body_seconds: from there until the body is complete or answered.
        send_seconds: until an answer is read.
        parting_seconds: from an answer before the end of the body until the peer closes.
        hold_seconds: from framing that costs too much until the connection is closed.
        max_connections: that are open at the same time; beyond them, whoever has most loses one.
        max_drained_bytes: that are thrown away meanwhile. They are read, or else the peer would
            not read the answer before it has sent them all.
        max_head_bytes: of a request line and its headers.
    """

    header_seconds: float
    body_seconds: float
    send_seconds: float
    parting_seconds: float
    hold_seconds: float
    max_connections: int
    max_drained_bytes: int
    max_head_bytes: int

    def seconds(self, step: Step) -> float:
        """How long a peer may take."""
        return {
            Step.HEADERS: self.header_seconds,
            Step.BODY: self.body_seconds,
            Step.READ: self.send_seconds,
            Step.END: self.parting_seconds,
        }[step]


def connection_limits(settings: ConnectionsGroup) -> ConnectionLimits:
    """The limits that the settings ask for."""
    return ConnectionLimits(
        header_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds + _ANSWER_SECONDS,
        send_seconds=settings.send_seconds,
        parting_seconds=_PARTING_SECONDS,
        hold_seconds=_HOLD_SECONDS,
        max_connections=settings.max_connections,
        max_drained_bytes=_MAX_DRAINED_BYTES,
        max_head_bytes=_MAX_HEADER_BYTES,
    )


class PatientProtocol(H11Protocol, BufferedProtocol):
    """Closes connections whose peer takes too long, costs too much, or has too many.

    One timer a connection. It starts when what is awaited changes, so that single bytes do not buy
    more time. While nothing is awaited, uvicorn's keep-alive timer runs, or the application works.

    What comes after an early answer is counted and thrown away, never parsed, until the peer closes
    or a limit is reached. A connection that becomes a websocket is let go: its own protocol closes
    it when pings are not answered.
    """

    limits: ClassVar[ConnectionLimits]
    count_closed: ClassVar["staticmethod[[str], None]"]
    conn: MeteredConnection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = MeteredConnection(self.limits.max_head_bytes)
        self._step: Step | None = None
        self._timer: TimerHandle | None = None
        self._filled = self._buffer = bytearray(_READ_BYTES)
        self._drained_bytes = 0
        self._is_websocket = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start to wait for headers, unless the connection is one too many."""
        super().connection_made(transport)
        _send_at_once(transport)
        self.transport = self._parting = PartingTransport(transport, self.conn.is_unread)
        if len(self.connections) > self.limits.max_connections and not self._take_room():
            self._close(_FULL)
        else:
            self._watch()

    @property
    def peer(self) -> str:
        """The address at the other end."""
        return self.client[0] if self.client else ""

    def is_waiting(self) -> bool:
        """Whether nothing is lost but time if it is closed: the next move is its peer's."""
        waits = self.is_resting or self._step in (Step.HEADERS, Step.BODY)
        return waits and not self.transport.is_closing()

    @property
    def is_resting(self) -> bool:
        """Whether it is between an answer and the next request."""
        return self.timeout_keep_alive_task is not None and not self.transport.is_closing()

    def end_of_rest(self) -> float:
        """When it is closed if it goes on resting, by the loop's clock; first who rests longest."""
        timer = self.timeout_keep_alive_task
        return timer.when() if timer is not None else inf

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_for(None)
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
        """Where asyncio puts what it reads; its size is the most that is read at a time."""
        if self._parting.is_parting:
            return _THROWN_AWAY
        self._filled = _CONTENT if self.conn.is_in_plain_body else self._buffer
        return self._filled

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what was read, or throw it away after an early answer."""
        if self._parting.is_parting:
            self._drain(nbytes)
        else:
            self.data_received(bytes(memoryview(self._filled)[:nbytes]))
        self._watch()

    def _should_upgrade(self) -> bool:
        """Open no WebSocket for what is no handshake: it goes on as the request that it is.

        Nobody would read its body, nor close the connection.
        """
        is_plain = not any(name in _LENGTHS for name, _ in self.headers)
        is_handshake = self.scope["method"] == "GET" and is_plain
        return is_handshake and super()._should_upgrade()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the bare connection over; whatever comes and goes now is for the other protocol."""
        self._is_websocket = True
        self.transport = self._parting.inner
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Wait until the answer is read, and until a peer that still sends closes."""
        super().on_response_complete()
        if self._parting.is_parting:
            # It may be paused, because the application did not take the body.
            self.flow.resume_reading()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and tell the application that the request is over."""
        if self.conn.account.is_overdrawn:
            self._hold_and_close()
        elif self.conn.our_state in _MAY_ANSWER:
            super().send_400_response(msg)
        else:
            self.transport.abort()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _take_room(self) -> bool:
        """Close a connection that another peer can spare; whether there is one.

        One of whoever has most connections, if those are more than this peer has: else one peer
        that says nothing on all of them would keep everybody out. Else the one that has rested
        longest between two requests, of a peer that has no fewer: it can connect again.
        """
        open_ones = [each for each in self.connections if isinstance(each, PatientProtocol)]
        counts = Counter(each.peer for each in open_ones)
        largest, own = max(counts, key=counts.__getitem__), counts[self.peer]
        if counts[largest] > own:
            spare = [each for each in open_ones if each.peer == largest and each.is_waiting()]
        else:
            spare = [each for each in open_ones if each.is_resting and counts[each.peer] == own]
            spare.sort(key=PatientProtocol.end_of_rest)
        if spare:
            spare[0]._close(_FULL)
        return bool(spare)

    def _hold_and_close(self) -> None:
        """Close in a second, in which nothing is read: a sender that comes again waits for it."""
        self.count_closed(_FRAMING)
        self.flow.pause_reading()
        self.loop.call_later(self.limits.hold_seconds, self.transport.abort)

    def _drain(self, size: int) -> None:
        self._drained_bytes += size
        if self._drained_bytes > self.limits.max_drained_bytes:
            self._close(Step.END)

    def _watch(self) -> None:
        step = self._current_step()
        if step is not self._step:
            self._wait_for(step)

    def _current_step(self) -> Step | None:
        if self._is_websocket:
            return None
        if self.transport.get_write_buffer_size():
            return Step.READ
        if self._parting.is_parting:
            return Step.END
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return Step.BODY
        is_idle = self.timeout_keep_alive_task is not None
        return Step.HEADERS if self.conn.their_state is h11.IDLE and not is_idle else None

    def _wait_for(self, step: Step | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._step, self._timer = step, None
        if step is not None:
            self._timer = self.loop.call_later(self.limits.seconds(step), self._out_of_patience)

    def _out_of_patience(self) -> None:
        late = self._step
        self._wait_for(None)
        if late is not None and self._current_step() is late:
            self._close(late)
        self._watch()

    def _close(self, why: str) -> None:
        self.count_closed(why)
        # At once: an orderly end would first wait for the peer to read.
        self.transport.abort()


def _send_at_once(transport: Transport) -> None:
    """Let the second part of an answer not wait until the peer has confirmed the first.

    That takes 40 ms, and asyncio sees to it only where the listener was made with the protocol's
    number.
    """
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def patient_protocol(
    limits: ConnectionLimits, count_closed: Callable[[str], None]
) -> type[Protocol]:
    """The class that uvicorn makes connections of.

    Args:
        count_closed: is told why a connection is closed on its peer.
    """
    members = {"limits": limits, "count_closed": staticmethod(count_closed)}
    return type("LimitedProtocol", (PatientProtocol,), members)
