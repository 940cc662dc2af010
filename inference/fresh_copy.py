"""What is copied from the database, kept fresh by one thread."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from threading import Event, Thread

import structlog

from inference.metrics import Metrics
from store.engine.change_marks import read_marks
from store.engine.database import Database, StoreUnavailable

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 5.0

Marks = Mapping[str, int]


class FreshCopy(ABC):
    """Reads again what has changed; a fault is counted and leaves the copy as it was."""

    def __init__(self, part: str, what: str, database: Database, metrics: Metrics) -> None:
        """Do nothing yet.

        Args:
            part: name of its faults in the metrics.
            what: what is kept fresh, for the log.
        """
        self._part, self._what = part, what
        self._database = database
        self._metrics = metrics
        self._is_stale = False

    def refresh(self) -> None:
        """Look at the marks and follow them; a fault is counted and raises nothing."""
        FreshCopies(self._database, self).refresh()

    def follow(self, marks: Marks) -> None:
        """Read again if the marks say so; a fault is counted and raises nothing."""
        try:
            self._read_if_changed(marks)
        except Exception as error:  # noqa: BLE001 - a thread that ends would freeze the copies
            self.note_fault(error)
        else:
            self._note_success()

    def note_fault(self, error: Exception) -> None:
        """Count a fault, and log the first of a row: the thread looks several times a second."""
        self._metrics.faults.labels(self._part).inc()
        if not self._is_stale:
            fault = None if isinstance(error, StoreUnavailable) else error
            _log.warning(f"{self._what} not refreshed", why=str(error), exc_info=fault)
        self._is_stale = True

    @abstractmethod
    def _read_if_changed(self, marks: Marks) -> None:
        """Read again if the copy was made at other marks than these; may raise anything."""

    def _note_success(self) -> None:
        if self._is_stale:
            _log.info(f"{self._what} refreshed again")
        self._is_stale = False


class FreshCopies:
    """Keeps all copies of one database fresh: its marks are read once for all of them."""

    def __init__(self, database: Database, *copies: FreshCopy) -> None:
        """Do nothing yet; copies are told of new marks in this order."""
        self._database = database
        self._copies = copies
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self, refresh_seconds: float) -> None:
        """Refresh every so many seconds, until :meth:`close`."""
        self._thread = Thread(
            target=self._keep_fresh, args=(refresh_seconds,), name="copies", daemon=True
        )
        self._thread.start()

    def refresh(self) -> None:
        """Let each copy follow what has changed; marks that cannot be read are a fault of each."""
        try:
            with self._database.read() as session:
                marks = read_marks(session)
        except Exception as error:  # noqa: BLE001 - as above
            for copy in self._copies:
                copy.note_fault(error)
        else:
            for copy in self._copies:
                copy.follow(marks)

    def close(self) -> None:
        """End the thread; it is given a few seconds to finish what it waits for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _keep_fresh(self, refresh_seconds: float) -> None:
        while not self._stop.wait(refresh_seconds):
            self.refresh()
