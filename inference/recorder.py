"""The recorder: a record is durable when :meth:`Recorder.record` returns, unless set otherwise.

Callers queue their records; one thread commits them in groups. While the database is away, or
records of that time still wait, groups go to the spool.
"""

from collections.abc import Sequence
from threading import Thread

import structlog

from inference.backoff import Backoff
from inference.metrics import Metrics
from inference.record_queue import QueueFull, RecordQueue, Ticket
from inference.record_writer import RecordWriter
from inference.recorder_settings import Durability, RecorderLimits
from inference.replayer import Replayer
from store.database import Database, StoreUnavailable
from store.records import RequestRecord
from store.spool import NotRecorded, Spool

_log = structlog.get_logger(__name__)
_DEFAULT = RecorderLimits()
_CLOSE_SECONDS = 30


class Recorder:
    """Writes records to the database, or to the spool while the database is away."""

    def __init__(
        self,
        database: Database,
        spool: Spool,
        metrics: Metrics,
        limits: RecorderLimits = _DEFAULT,
    ) -> None:
        self._spool = spool
        self._metrics = metrics
        self._is_strict = limits.durability is Durability.STRICT
        self._queue = RecordQueue(limits)
        self._backoff = Backoff()
        self._writer = RecordWriter(database, spool, metrics)
        self._last_group_failed = False
        metrics.watch_queue(self._queue)
        self._replayer = Replayer(spool, self._writer, self._backoff, metrics)
        self._thread = Thread(target=self._run, name="maskwatch-recorder", daemon=True)
        self._thread.start()

    def record(self, record: RequestRecord) -> None:
        """Make a record durable; with ``relaxed`` durability only queue it.

        Raises:
            NotRecorded: neither the database nor the spool takes it, or too many others wait.
        """
        try:
            ticket = self._queue.put(record)
        except QueueFull:
            self._metrics.unkept.labels("queue_full").inc()
            raise
        # Relaxed is no licence to lose everything: after a failure callers see the next one.
        if self._is_strict or self._last_group_failed:
            ticket.done.result()

    def is_behind(self) -> bool:
        """Whether records wait in the spool."""
        return not self._spool.is_empty()

    def try_again(self) -> None:
        """Say that the database can be reached: the next attempt is due now."""
        self._backoff.succeeded()
        self._replayer.wake()

    def close(self) -> None:
        """Make durable what is queued and end the threads; nothing can be recorded afterwards."""
        self._queue.close()
        self._thread.join(_CLOSE_SECONDS)
        if self._thread.is_alive():
            _log.error("records left behind", records=len(self._queue))
        self._replayer.close(_CLOSE_SECONDS)

    def _run(self) -> None:
        while group := self._queue.take():
            self._metrics.group_records.observe(len(group))
            with self._metrics.commit_seconds.time():
                self._settle(group)

    def _settle(self, group: Sequence[Ticket]) -> None:
        """Make a group durable and tell its callers how it went."""
        try:
            self._keep([ticket.record for ticket in group])
        except NotRecorded as error:
            self._refuse(group, error)
        except Exception as error:  # noqa: BLE001 - a thread that ends would keep callers waiting
            self._find_odd_one(group, error)
        else:
            self._last_group_failed = False
            for ticket in group:
                ticket.done.set_result(None)

    def _find_odd_one(self, group: Sequence[Ticket], error: Exception) -> None:
        """Refuse a record that not even a file takes; a larger group is tried in halves."""
        if len(group) > 1:
            middle = len(group) // 2
            self._settle(group[:middle])
            self._settle(group[middle:])
            return
        self._metrics.faults.labels("recorder").inc()
        _log.error("record cannot be kept", request_id=group[0].record.request_id, why=repr(error))
        self._refuse(group, NotRecorded(f"The record cannot be written down: {error}"))

    def _keep(self, records: Sequence[RequestRecord]) -> None:
        if self._is_spool_in_use():
            self._replayer.let_catch_up()
        if self._is_spool_in_use():
            self._put_into_spool(records)
            return
        try:
            self._writer.write(records)
        except StoreUnavailable as error:
            self._backoff.failed()
            _log.warning("records go to the spool", why=str(error))
            self._put_into_spool(records)

    def _is_spool_in_use(self) -> bool:
        """Records go behind those that wait there, or they would be stored out of order."""
        return self._backoff.remaining_seconds() > 0 or not self._spool.is_empty()

    def _put_into_spool(self, records: Sequence[RequestRecord]) -> None:
        self._spool.append(records)
        self._metrics.spooled.inc(len(records))
        self._replayer.wake()

    def _refuse(self, group: Sequence[Ticket], error: NotRecorded) -> None:
        self._last_group_failed = True
        self._metrics.unkept.labels("not_durable").inc(len(group))
        if not self._is_strict:
            _log.error("records lost", why=str(error), records=len(group))
        for ticket in group:
            ticket.done.set_exception(error)
