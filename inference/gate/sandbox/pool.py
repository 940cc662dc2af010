"""A pool of decode workers: whatever becomes of one, the next upload finds another."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from queue import Empty, PriorityQueue
from threading import Event

from detectors.errors import MaskwatchError
from detectors.parsing import Image
from inference.gate.media import MediaType
from inference.gate.sandbox.process import WorkerGone, WorkerLimits
from inference.gate.sandbox.seat import CountEnd, Seat
from inference.gate.sandbox.wire import Reply

_BUSY, _UNAVAILABLE = "decoder_busy", "decoder_unavailable"


class DecoderUnusable(MaskwatchError):
    """Decode workers cannot be started here."""


def _count_nothing(_end: str) -> None:
    """Nobody asked for counts."""


class DecoderPool:
    """Decodes uploads in worker processes, several at a time. Safe to share between threads."""

    def __init__(
        self, size: int, limits: WorkerLimits, count_end: CountEnd = _count_nothing
    ) -> None:
        """Start the workers.

        Raises:
            DecoderUnusable: they do not start.
        """
        self._wait_seconds = limits.wall_seconds
        self._closed = Event()
        # One more than can work at a time, so that a new worker starts while the others work.
        self._seats = tuple(Seat(limits, count_end) for _ in range(size + 1))
        self._free: PriorityQueue[tuple[int, Seat]] = PriorityQueue()
        self._turns = count(1)
        for seat in self._seats:
            self._put_back(seat)
        try:
            self.sandbox = self._seats[0].sandbox()
        except WorkerGone:
            self.close()
            raise DecoderUnusable(
                "Decode workers do not start: `maskwatch doctor` says what this machine lacks."
            ) from None

    def decode(self, data: bytes, media_type: MediaType) -> tuple[Reply, Image | None]:
        """What a worker makes of an upload: its reply, and the picture ``(H, W, 3)`` uint8.

        A worker that dies, hangs or overruns costs this one upload: the reply is a refusal then.
        """
        if self._closed.is_set():
            return Reply(refusal=_UNAVAILABLE), None
        with self._seat() as seat:
            if seat is None:
                return Reply(refusal=_BUSY), None
            return seat.decode(data, media_type)

    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(seat.pid for seat in self._seats if seat.pid is not None)

    def close(self) -> None:
        """End all workers. Who is at work may finish: no picture takes longer than the limit."""
        if self._closed.is_set():
            return
        self._closed.set()
        for _ in self._seats:
            _, seat = self._free.get()
            seat.close()

    @contextmanager
    def _seat(self) -> Iterator[Seat | None]:
        try:
            _, seat = self._free.get(timeout=self._wait_seconds)
        except Empty:
            yield None
            return
        try:
            yield seat
        finally:
            self._put_back(seat)

    def _put_back(self, seat: Seat) -> None:
        """Whoever worked last works next, with warm caches; who has just started comes last."""
        turn = next(self._turns)
        self._free.put((turn if seat.is_fresh else -turn, seat))
