"""Admission: who may send a picture now."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from inference.access import Access
from inference.metrics import Metrics
from inference.pipeline import Arrival
from inference.refusals import BLOCKED, OVERLOADED, Refusal, Refused
from inference.upload import Upload


class Blacklist:
    """Refuses whom an enforced block holds for."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def check(self, arrival: Arrival, upload: Upload | None) -> Refusal | None:
        """A refusal if a block holds for the sender or, once read, the exact picture."""
        content = upload.sha256 if upload else None
        blocked = self._access.current.is_blocked(arrival.received_at, arrival.names, content)
        return BLOCKED if blocked else None


class Slots:
    """Bounds how many uploads are worked on and how many wait; waiting takes no thread."""

    def __init__(self, concurrency: int, queue: int, metrics: Metrics) -> None:
        self._most = concurrency + queue
        self._present = 0
        self._working = Semaphore(concurrency)
        self._metrics = metrics

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a place to work.

        Raises:
            Refused: the queue is full.
        """
        if self._present >= self._most:
            raise Refused(OVERLOADED)
        self._present += 1
        self._metrics.in_flight.inc()
        try:
            async with self._working:
                yield
        finally:
            self._metrics.in_flight.dec()
            self._present -= 1
