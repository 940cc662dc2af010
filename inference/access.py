"""Access: the access list in memory, kept fresh by a thread of its own."""

from datetime import UTC, datetime
from threading import Event, Thread

import structlog

from inference.metrics import Metrics
from store.access_list import AccessList, read_access_list
from store.change_marks import read_marks
from store.database import Database, StoreUnavailable

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 5.0


class Access:
    """The last known access list; requests look it up without the database.

    While the database is away the last known list holds: who was blocked stays blocked until the
    block's own end, and who has a key keeps it.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._current = self._read()
        self._stale = False
        self._stopped = Event()
        self._thread: Thread | None = None

    @property
    def current(self) -> AccessList:
        """The list as it is known now; it is replaced, never changed."""
        return self._current

    def start(self, refresh_seconds: float) -> None:
        """Look for changes every so many seconds, until :meth:`close`."""
        self._thread = Thread(
            target=self._keep_fresh, args=(refresh_seconds,), name="access", daemon=True
        )
        self._thread.start()

    def refresh(self) -> None:
        """Read the list again if a mark has moved; a fault is counted and leaves the old list."""
        try:
            self._read_if_changed()
        except Exception as error:  # noqa: BLE001 - a thread that ends would freeze the list
            self._metrics.faults.labels("access").inc()
            self._note_fault(error)
        else:
            self._note_success()

    def close(self) -> None:
        """End the thread; it is given a few seconds to finish what it waits for."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _keep_fresh(self, refresh_seconds: float) -> None:
        while not self._stopped.wait(refresh_seconds):
            self.refresh()

    def _read_if_changed(self) -> None:
        with self._database.read() as session:
            changed = read_marks(session) != self._current.marks
        if changed:
            self._current = self._read()

    def _read(self) -> AccessList:
        with self._database.read() as session:
            return read_access_list(session, datetime.now(UTC))

    def _note_fault(self, error: Exception) -> None:
        """Log the first fault of a row only: the thread looks several times a second."""
        if not self._stale:
            unexpected = None if isinstance(error, StoreUnavailable) else error
            _log.warning("access list not refreshed", why=str(error), exc_info=unexpected)
        self._stale = True

    def _note_success(self) -> None:
        if self._stale:
            _log.info("access list refreshed again")
        self._stale = False
