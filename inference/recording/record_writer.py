"""Writes groups of records to the database; a bad record costs only itself."""

from collections.abc import Sequence

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from inference.metrics import Metrics
from store.engine.database import Database, StoreUnavailable
from store.requests.record_store import add_records
from store.requests.records import RequestRecord
from store.spool.spool import Spool

_log = structlog.get_logger(__name__)


class RecordWriter:
    """One transaction for each group, or more where one of its records is bad."""

    def __init__(self, database: Database, spool: Spool, metrics: Metrics) -> None:
        self._database = database
        self._spool = spool
        self._metrics = metrics

    def write(self, records: Sequence[RequestRecord], *, fresh: bool = False) -> None:
        """Store records in their order; set aside those that the database will never take.

        Args:
            fresh: they were never sent to the database before.

        Raises:
            StoreUnavailable: the database is away; some of them may be stored, which does no harm.
            SpoolFailed: a bad record cannot be set aside.
        """
        try:
            with self._database.write() as session:
                add_records(session, records, fresh=fresh)
        except StoreUnavailable:
            raise
        except Exception as error:
            if not _blames_a_record(error):
                raise StoreUnavailable(
                    f"The database does not take records: {_first_line(error)}."
                ) from error
            self._find_bad_one(records, error, fresh=fresh)

    def _find_bad_one(
        self, records: Sequence[RequestRecord], error: Exception, *, fresh: bool
    ) -> None:
        if len(records) == 1:
            self._set_aside(records[0], error)
            return
        middle = len(records) // 2
        self.write(records[:middle], fresh=fresh)
        self.write(records[middle:], fresh=fresh)

    def _set_aside(self, record: RequestRecord, error: Exception) -> None:
        self._spool.set_aside(record)
        self._metrics.set_aside_records.inc()
        _log.error("record set aside", request_id=record.request_id, why=_first_line(error))


def _blames_a_record(error: Exception) -> bool:
    """Whether it is about what a record holds, so that trying again would never help."""
    if isinstance(error, ProgrammingError):
        # A value that the driver cannot send. The server itself speaks of tables or rights.
        return getattr(error.orig, "sqlstate", None) is None
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    return not isinstance(error, OSError)


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return next(iter(str(cause).splitlines()), type(cause).__name__).rstrip(".")
