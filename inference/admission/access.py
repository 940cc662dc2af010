"""Access: the access list in memory, kept fresh."""

from datetime import UTC, datetime

from inference.fresh_copy import FreshCopy, Marks
from inference.metrics import Metrics
from store.decisions.access_list import AccessList, read_access_list
from store.engine.database import Database


class Access(FreshCopy):
    """The last known access list; requests look it up without the database.

    While the database is away the last known list holds: who was blocked stays blocked until the
    block's own end, and who has a key keeps it.
    """

    def __init__(self, database: Database, metrics: Metrics) -> None:
        super().__init__("access", "access list", database, metrics)
        self._current = self._read()

    @property
    def current(self) -> AccessList:
        """The list as it is known now; it is replaced, never changed."""
        return self._current

    def _read_if_changed(self, marks: Marks) -> None:
        if marks != self._current.marks:
            self._current = self._read(self._current)

    def _read(self, before: AccessList | None = None) -> AccessList:
        with self._database.read() as session:
            return read_access_list(session, datetime.now(UTC), before)
