"""A pool of decode workers: whatever becomes of one, the next upload finds another."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue

from detectors.errors import MaskwatchError
from inference.gate.media import MediaType
from inference.gate.sandbox.process import WorkerGone, WorkerLimits
from inference.gate.sandbox.seat import CountEnd, Seat
from inference.gate.sandbox.wire import Order, Reply

_BUSY = "decoder_busy"


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
        # One more than can work at a time, so that a new worker starts while the others work.
        self._seats = tuple(Seat(limits, count_end) for _ in range(size + 1))
        self._free: Queue[Seat] = Queue()
        try:
            self.sandbox = self._seats[0].sandbox()
        except WorkerGone:
            self.close()
            raise DecoderUnusable(
                "Decode workers do not start: `maskwatch doctor` says what this machine lacks."
            ) from None
        for seat in self._seats:
            self._free.put(seat)

    def decode(self, data: bytes, media_type: MediaType) -> tuple[Reply, bytearray]:
        """What a worker makes of an upload: its reply, and packed RGB bytes if it is a picture.

        A worker that dies, hangs or overruns costs this one upload: the reply is a refusal then.
        """
        with self._seat() as seat:
            if seat is None:
                return Reply(refusal=_BUSY), bytearray()
            return seat.decode(data, Order(len(data), media_type))

    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(seat.pid for seat in self._seats if seat.pid is not None)

    def close(self) -> None:
        """End all workers."""
        for seat in self._seats:
            seat.close()

    @contextmanager
    def _seat(self) -> Iterator[Seat | None]:
        try:
            seat = self._free.get(timeout=self._wait_seconds)
        except Empty:
            yield None
            return
        try:
            yield seat
        finally:
            self._free.put(seat)
