"""What is copied from the database, kept fresh by a thread of its own."""

from abc import ABC, abstractmethod
from threading import Event, Thread

import structlog

from inference.metrics import Metrics
from store.engine.database import StoreUnavailable

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 5.0


class FreshCopy(ABC):
    """Reads again and again what has changed; a fault is counted and leaves the copy as it was."""

    def __init__(self, part: str, what: str, metrics: Metrics) -> None:
        """Do nothing yet.

        Args:
            part: name of the thread, and of its faults in the metrics.
            what: what is kept fresh, for the log.
        """
        self._part, self._what = part, what
        self._metrics = metrics
        self._is_stale = False
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self, refresh_seconds: float) -> None:
        """Refresh every so many seconds, until :meth:`close`."""
        self._thread = Thread(
            target=self._keep_fresh, args=(refresh_seconds,), name=self._part, daemon=True
        )
        self._thread.start()

    def refresh(self) -> None:
        """Read again if the database has changed; a fault is counted and raises nothing."""
        try:
            self._read_if_changed()
        except Exception as error:  # noqa: BLE001 - a thread that ends would freeze the copy
            self._metrics.faults.labels(self._part).inc()
            self._note_fault(error)
        else:
            self._note_success()

    def close(self) -> None:
        """End the thread; it is given a few seconds to finish what it waits for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    @abstractmethod
    def _read_if_changed(self) -> None:
        """Look whether the database has changed, and read it again if so; may raise anything."""

    def _keep_fresh(self, refresh_seconds: float) -> None:
        while not self._stop.wait(refresh_seconds):
            self.refresh()

    def _note_fault(self, error: Exception) -> None:
        """Log the first fault of a row only: the thread looks several times a second."""
        if not self._is_stale:
            fault = None if isinstance(error, StoreUnavailable) else error
            _log.warning(f"{self._what} not refreshed", why=str(error), exc_info=fault)
        self._is_stale = True

    def _note_success(self) -> None:
        if self._is_stale:
            _log.info(f"{self._what} refreshed again")
        self._is_stale = False
