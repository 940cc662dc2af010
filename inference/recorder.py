"""The recorder: a record is durable when :meth:`Recorder.record` returns."""

from collections.abc import Sequence

import structlog

from inference.metrics import Metrics
from inference.spool import Spool
from store.database import Database, StoreUnavailable
from store.records import RequestRecord
from store.requests import add_record

_log = structlog.get_logger(__name__)


class Recorder:
    """Writes records to the database, or to the spool while the database is away."""

    def __init__(self, database: Database, spool: Spool, metrics: Metrics) -> None:
        self._database = database
        self._spool = spool
        self._metrics = metrics

    def record(self, record: RequestRecord) -> None:
        """Make a record durable.

        Raises:
            SpoolFailed: neither the database nor the spool takes it.
        """
        try:
            self.replay()
            self._write([record])
        except StoreUnavailable as error:
            self._spool.append(record)
            self._metrics.spooled.inc()
            _log.warning("record went to the spool", why=str(error), request_id=record.request_id)

    def replay(self) -> None:
        """Move waiting records into the database, oldest first.

        Raises:
            StoreUnavailable: it is still away; nothing is lost.
        """
        replayed = self._spool.replay(self._write)
        if replayed:
            _log.info("spool replayed", records=replayed)

    def _write(self, records: Sequence[RequestRecord]) -> None:
        with self._database.write() as session:
            for record in records:
                add_record(session, record)
