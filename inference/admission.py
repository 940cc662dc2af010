"""Admission: who may send a picture now."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from inference.metrics import Metrics
from inference.pipeline import Arrival
from inference.refusals import BLOCKED, OVERLOADED, Refusal, Refused
from inference.upload import Upload
from store.database import Database, StoreUnavailable
from store.decisions import is_blocked

_log = structlog.get_logger(__name__)


class Blacklist:
    """Looks decisions up in the database, so that a new one holds for the very next request."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics

    def check(self, arrival: Arrival, upload: Upload | None) -> Refusal | None:
        """A refusal if an enforced block holds for the client or, once read, the exact picture.

        Open while the database is away, and counted.
        """
        content = upload.sha256 if upload else None
        try:
            with self._database.read() as session:
                blocked = is_blocked(session, arrival.received_at, arrival.client, content)
                return BLOCKED if blocked else None
        except StoreUnavailable as error:
            self._metrics.faults.labels("blacklist").inc()
            _log.warning("blacklist not checked", why=str(error))
            return None


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
