"""Access: the access list in memory, kept fresh by a thread of its own."""

from datetime import UTC, datetime

from inference.metrics import Metrics
from inference.refresher import Refresher
from store.decisions.access_list import AccessList, read_access_list
from store.engine.change_marks import read_marks
from store.engine.database import Database


class Access:
    """The last known access list; requests look it up without the database.

    While the database is away the last known list holds: who was blocked stays blocked until the
    block's own end, and who has a key keeps it.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._current = self._read()
        self._refresher = Refresher("access", "access list", self._read_if_changed, metrics)

    @property
    def current(self) -> AccessList:
        """The list as it is known now; it is replaced, never changed."""
        return self._current

    def start(self, refresh_seconds: float) -> None:
        """Look for changes every so many seconds, until :meth:`close`."""
        self._refresher.start(refresh_seconds)

    def refresh(self) -> None:
        """Read the list again if a mark has moved; a fault is counted and leaves the old list."""
        self._refresher.refresh()

    def close(self) -> None:
        """End the thread."""
        self._refresher.close()

    def _read_if_changed(self) -> None:
        with self._database.read() as session:
            changed = read_marks(session) != self._current.marks
        if changed:
            self._current = self._read()

    def _read(self) -> AccessList:
        with self._database.read() as session:
            return read_access_list(session, datetime.now(UTC))
