"""The quota of evidence: how much the folder holds, without looking at it for every request."""

from threading import Lock, Thread
from time import monotonic

import structlog

from store.requests.picture_store import PictureStore

_log = structlog.get_logger(__name__)
_MEASURE_SECONDS = 600.0


class PictureQuota:
    """Whether the folder has reached its quota, as of the last ten minutes.

    Listing a full folder takes a second, so it is done in a thread beside the requests. The job
    ``prune`` makes room; this only keeps the folder from growing by what can be left out.
    """

    def __init__(self, store: PictureStore, limit_bytes: int) -> None:
        self._store = store
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self._measured_at: float | None = None
        self._turn = Lock()

    def is_reached(self) -> bool:
        """Whether the folder was full when it was measured last; not while it never was."""
        stale = self._measured_at is None or monotonic() - self._measured_at > _MEASURE_SECONDS
        if stale and self._turn.acquire(blocking=False):
            self._measured_at = monotonic()
            Thread(target=self._measure, name="evidence-quota", daemon=True).start()
        return self._used_bytes >= self._limit_bytes

    def _measure(self) -> None:
        try:
            self._used_bytes = sum(file.size_bytes for file in self._store.files())
        except OSError as error:
            _log.warning("quota of pictures not measured, the last figure holds", why=str(error))
        finally:
            self._turn.release()
