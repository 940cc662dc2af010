"""Moves records from the spool into the database, in a thread of its own.

So a database that is away, or slow to say so, holds up nobody who records: new records go behind
those in the spool meanwhile.
"""

from threading import Condition, Event, Thread

import structlog

from inference.metrics import Metrics
from inference.recording.record_writer import RecordWriter
from store.engine.backoff import Backoff
from store.engine.database import StoreUnavailable
from store.spool.spool import NotRecorded, Spool

_log = structlog.get_logger(__name__)
_CATCH_UP_SECONDS = 0.1


class Replayer:
    """Tries again, after longer and longer pauses, until the spool is empty."""

    def __init__(
        self, spool: Spool, writer: RecordWriter, backoff: Backoff, metrics: Metrics
    ) -> None:
        self._spool = spool
        self._writer = writer
        self._backoff = backoff
        self._metrics = metrics
        self._wake = Event()
        self._over = False
        self._chunk_end = Condition()
        self._catches_up = False
        self._thread = Thread(target=self._run, name="maskwatch-replay", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that records wait."""
        self._wake.set()

    def let_catch_up(self) -> None:
        """Hold a writer back for a moment while the database takes what waits.

        A file takes records faster than a database does: callers that wait for nothing else would
        fill the spool faster than it is emptied, for as long as they like.
        """
        with self._chunk_end:
            if self._catches_up:
                self._chunk_end.wait(_CATCH_UP_SECONDS)

    def close(self, max_seconds: float) -> None:
        """End the thread after the chunk that it works on; the rest waits for the next start."""
        self._over = True
        self._wake.set()
        self._thread.join(max_seconds)

    def _run(self) -> None:
        while not self._over:
            pause_seconds = self._step()
            self._tell(catches_up=pause_seconds == 0)
            if pause_seconds != 0:
                self._wake.wait(pause_seconds)
                self._wake.clear()

    def _tell(self, *, catches_up: bool) -> None:
        with self._chunk_end:
            self._catches_up = catches_up
            self._chunk_end.notify_all()

    def _step(self) -> float | None:
        """Replay a chunk if it is time; seconds until the next one, ``None`` if none is needed."""
        try:
            if self._spool.is_empty():
                return None
            if not self._backoff.remaining_seconds():
                self._replay_chunk()
        except (StoreUnavailable, NotRecorded) as error:
            self._backoff.begin_pause()
            _log.warning("records wait in the spool", why=str(error))
        except Exception:  # noqa: BLE001 - a thread that ends would leave them there
            self._backoff.begin_pause()
            self._metrics.faults.labels("replay").inc()
            _log.exception("spool not replayed")
        return self._backoff.remaining_seconds()

    def _replay_chunk(self) -> None:
        counts = self._spool.replay(self._writer.write)
        if counts:
            self._backoff.end_pause()
            self._metrics.replayed_records.inc(counts.records)
            self._metrics.set_aside_records.inc(counts.aside)
            _log.info("spool replayed", records=counts.records, set_aside=counts.aside)
        elif not self._spool.is_empty():
            self._backoff.begin_pause()  # another process is at it
