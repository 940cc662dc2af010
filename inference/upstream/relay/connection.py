"""One connection to an upstream: HTTP/1.1 by h11, and nothing of one request left for the next."""

from asyncio import (
    AbstractEventLoop,
    BufferedProtocol,
    Event,
    TimerHandle,
    Transport,
    sleep,
    timeout_at,
)
from collections import deque
from dataclasses import dataclass, field
from select import POLLIN, poll
from typing import Any

import h11

from inference.upstream.relay.faults import FaultKind, UpstreamFault
from inference.upstream.relay.upstream_http import UpstreamHttp

_MAX_HEAD_BYTES = 65_536
# So much is taken in before it is passed on; then the upstream has to wait.
_MAX_UNREAD_BYTES = 262_144
# What was taken in may be tens of thousands of chunks of one byte: the others have their turn.
_EVENTS_PER_TURN = 64
# Before an answer: a service that sends no end of interim ones has none to give.
_MAX_INTERIM = 64


@dataclass(frozen=True)
class AnswerHead:
    """Status and headers as the upstream sent them."""

    status: int
    headers: list[tuple[bytes, bytes]]


@dataclass
class _Progress:
    """When something was last sent, and moved either way, and whether something arrived since."""

    sent_at: float
    moved_at: float
    arrival: Event = field(default_factory=Event)

    def end(self, seconds: float, *, is_head: bool) -> float:
        """When so many seconds are over, on the clock of the loop."""
        return (self.sent_at if is_head else self.moved_at) + seconds


class UpstreamConnection(BufferedProtocol):
    """Sends requests and reads answers, one after the other.

    What comes between an answer and the next request closes the connection, and so does what is
    found unread before that request is sent: it could be taken for the answer to it, which is
    another client's.

    Args:
        buffer: is read into; connections of the same loop may share it, because what is read is
            copied before the next one reads. A view, because asyncio's TLS writes into slices of
            it, and a slice of an array would be a copy.
    """

    def __init__(self, loop: AbstractEventLoop, buffer: memoryview) -> None:
        self._loop = loop
        self._buffer = buffer
        self._http = UpstreamHttp(_MAX_HEAD_BYTES)
        self._content: deque[bytes] = deque()
        self._progress = _Progress(loop.time(), loop.time())
        self._is_writable = Event()
        self._is_writable.set()
        self._unread_bytes = self._event_count = 0
        self._has_ended = self._is_lost = False
        self._has_rested = self._has_arrived = self._is_unasked = False
        self._idle_timer: TimerHandle | None = None
        self._transport: Transport

    # What asyncio calls.

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Keep the transport."""
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where asyncio puts what it reads; its size is the most that is read at a time."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Keep bytes until they are asked for; too many make the upstream wait."""
        if self._is_unasked:
            self.abort()
            return
        self._has_arrived = True
        content, rest = self._http.split_content(bytes(self._buffer[:nbytes]))
        if content:
            self._content.append(content)
        if rest:
            self._http.receive_data(rest)
        self._unread_bytes += nbytes
        if self._unread_bytes > _MAX_UNREAD_BYTES:
            self._transport.pause_reading()
        self._note_arrival()

    def eof_received(self) -> None:
        """The upstream sends nothing more: that ends the answers that have no other end."""
        self._has_ended = True
        self._http.receive_data(b"")
        self._note_arrival()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Nothing moves any more; wake whoever waits."""
        self._is_lost = True
        self._stop_idling()
        self._is_writable.set()
        self._note_arrival()

    def pause_writing(self) -> None:
        """The upstream takes bytes more slowly than they come."""
        self._is_writable.clear()

    def resume_writing(self) -> None:
        """The upstream took what was sent."""
        self._note_sending()
        self._is_writable.set()

    # What the relay calls.

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return not (self._is_lost or self._has_ended or self._transport.is_closing())

    def was_stale(self, kind: FaultKind) -> bool:
        """Whether a fault may only mean that the upstream closed the connection while it rested."""
        return kind is FaultKind.BROKEN and self._has_rested and not self._has_arrived

    async def send(self, event: h11.Event) -> None:
        """Send a part of a request, once the upstream took the parts before.

        Raises:
            UpstreamFault: ``broken``.
        """
        await self._is_writable.wait()
        if self.is_open and self._is_unasked and self._has_unread():
            self.abort()
        if not self.is_open:
            raise UpstreamFault(FaultKind.BROKEN, "The upstream takes no more of the request.")
        self._is_unasked = False
        self._note_sending()
        self._transport.write(self._http.send(event) or b"")

    async def read_head(self, seconds: float) -> AnswerHead:
        """The head of the answer; interim answers are left out.

        Args:
            seconds: from the last byte that went up. A head that comes byte by byte, and interim
                answers, buy no time.

        Raises:
            UpstreamFault: ``timeout``, ``broken`` or ``bad_answer``.
        """
        for _ in range(_MAX_INTERIM):
            event = await self._next_event(seconds, is_head=True)
            if isinstance(event, h11.Response):
                return _read_head(event)
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise UpstreamFault(FaultKind.BAD_ANSWER, "The upstream changed the protocol.")
        raise UpstreamFault(FaultKind.BAD_ANSWER, "The upstream sends interim answers alone.")

    async def read_body(self, seconds: float) -> bytes | None:
        """What has arrived of the answer's body, at least one byte; ``None`` at its end.

        Raises:
            UpstreamFault: ``timeout``, ``broken`` or ``bad_answer``.
        """
        while True:
            event = await self._next_event(seconds)
            if isinstance(event, h11.EndOfMessage):
                return None
            if isinstance(event, h11.Data) and event.data:
                return bytes(event.data)

    def rest(self, seconds: float) -> bool:
        """Wait for the next request for so long; false if this connection cannot have one."""
        is_done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not is_done or self._http.trailing_data[0] or not self.is_open or seconds <= 0:
            return False
        self._http.start_next_cycle()
        self._is_unasked = True
        self._unread_bytes = 0
        self._transport.resume_reading()
        self._idle_timer = self._loop.call_later(seconds, self.abort)
        return True

    def wake(self) -> None:
        """End the rest: a request follows."""
        self._stop_idling()
        self._has_rested, self._has_arrived = True, False
        self._progress = _Progress(self._loop.time(), self._loop.time())

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _stop_idling(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _has_unread(self) -> bool:
        """Whether the system holds bytes, or the end, that the loop has not come to yet."""
        waiting = poll()
        waiting.register(self._transport.get_extra_info("socket"), POLLIN)
        return bool(waiting.poll(0))

    def _note_sending(self) -> None:
        self._progress.sent_at = self._progress.moved_at = self._loop.time()

    def _note_arrival(self) -> None:
        self._progress.moved_at = self._loop.time()
        self._progress.arrival.set()

    async def _next_event(self, seconds: float, *, is_head: bool = False) -> Any:
        self._event_count += 1
        if self._event_count % _EVENTS_PER_TURN == 0:
            await sleep(0)
        while True:
            event = self._parse_event()
            if event is not h11.NEED_DATA:
                return event
            if self._is_lost:
                raise UpstreamFault(FaultKind.BROKEN, "The upstream closed the connection.")
            self._unread_bytes = 0
            self._transport.resume_reading()
            await self._wait_for_arrival(seconds, is_head=is_head)

    def _parse_event(self) -> Any:
        """What came next; content that went past the parser came before all that is still in it."""
        if self._content:
            return h11.Data(data=self._content.popleft())
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError:
            if self._has_ended:
                raise UpstreamFault(FaultKind.BROKEN, "The upstream ended too early.") from None
            raise UpstreamFault(FaultKind.BAD_ANSWER, "The upstream sent no HTTP.") from None

    async def _wait_for_arrival(self, seconds: float, *, is_head: bool) -> None:
        progress = self._progress
        progress.arrival.clear()
        while not progress.arrival.is_set():
            give_up_at = progress.end(seconds, is_head=is_head)
            try:
                async with timeout_at(give_up_at):
                    await progress.arrival.wait()
            except TimeoutError:
                if progress.end(seconds, is_head=is_head) <= give_up_at:
                    raise UpstreamFault(FaultKind.TIMEOUT, "The upstream is silent.") from None


def _read_head(answer: h11.Response) -> AnswerHead:
    """The head, if a server may send it.

    A status beyond 599 has no class, and no meaning that a client could know.
    """
    if answer.status_code > 599:
        raise UpstreamFault(FaultKind.BAD_ANSWER, "The upstream sent a status that is none.")
    return AnswerHead(answer.status_code, answer.headers.raw_items())
