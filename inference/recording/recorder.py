"""The recorder: a record is durable when :meth:`Recorder.record` returns, unless set otherwise.

Callers queue their records; one thread commits them in groups. While the database is away, or
records of that time still wait, groups go to the spool.
"""

from collections.abc import Sequence
from threading import Thread

import structlog

from inference.metrics import Metrics
from inference.recording.record_queue import Group, QueueFull, RecordQueue, Ticket
from inference.recording.record_writer import RecordWriter
from inference.recording.recorder_settings import Durability, RecorderLimits
from inference.recording.replayer import Replayer
from store.engine.backoff import Backoff
from store.engine.database import Database, StoreUnavailable
from store.requests.records import RequestRecord
from store.spool.spool import NotRecorded, Spool

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
        metrics.watch_queue(lambda: len(self._queue), lambda: self._queue.callers_waiting)
        self._replayer = Replayer(spool, self._writer, self._backoff, metrics)
        self._thread = Thread(target=self._run, name="maskwatch-recorder", daemon=True)
        self._thread.start()

    def record(self, record: RequestRecord) -> None:
        """Make a record durable; with ``relaxed`` durability only queue it.

        Raises:
            NotRecorded: neither the database nor the spool takes it, or too many others wait.
        """
        self.wait(self.queue(record))

    def queue(self, record: RequestRecord) -> Ticket:
        """Begin to make a record durable; whoever queues it waits for it before it answers.

        Raises:
            NotRecorded: too many others wait.
        """
        try:
            return self._queue.put(record)
        except QueueFull:
            self._metrics.unkept_records.labels("queue_full").inc()
            raise

    def wait(self, ticket: Ticket) -> None:
        """Wait until a queued record is durable; with ``relaxed`` durability do not wait.

        Raises:
            NotRecorded: neither the database nor the spool takes it.
        """
        # Relaxed is no licence to lose everything: after a failure callers see the next one.
        if self._is_strict or self._last_group_failed:
            ticket.wait()

    def is_behind(self) -> bool:
        """Whether records wait in the spool."""
        return not self._spool.is_empty()

    def try_again(self) -> None:
        """Say that the database can be reached: the next attempt is due now."""
        self._backoff.end_pause()
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
            try:
                with self._metrics.commit_seconds.time():
                    self._settle(group, range(len(group)), fresh=True)
            except BaseException:
                # Whatever tears the thread down: nobody may take these for durable.
                self._refuse(group, range(len(group)), NotRecorded("The recorder was torn down."))
                raise
            finally:
                group.finish()

    def _settle(self, group: Group, places: range, *, fresh: bool) -> None:
        """Make a part of a group durable, or refuse it."""
        try:
            self._keep(group.records[places.start : places.stop], fresh=fresh)
        except NotRecorded as error:
            self._refuse(group, places, error)
        except Exception as error:  # noqa: BLE001 - a thread that ends would keep callers waiting
            self._find_odd_one(group, places, error)
        else:
            self._last_group_failed = False

    def _find_odd_one(self, group: Group, places: range, error: Exception) -> None:
        """Refuse a record that not even a file takes; a larger part is tried in halves."""
        if len(places) > 1:
            middle = len(places) // 2
            self._settle(group, places[:middle], fresh=False)
            self._settle(group, places[middle:], fresh=False)
            return
        record = group.records[places.start]
        self._metrics.faults.labels("recorder").inc()
        _log.error("record cannot be kept", request_id=record.request_id, why=repr(error))
        self._refuse(group, places, NotRecorded(f"The record cannot be written down: {error}"))

    def _keep(self, records: Sequence[RequestRecord], *, fresh: bool) -> None:
        if self._is_spool_in_use():
            self._replayer.let_catch_up()
        if self._is_spool_in_use():
            self._put_into_spool(records)
            return
        try:
            self._writer.write(records, fresh=fresh)
        except StoreUnavailable as error:
            self._backoff.begin_pause()
            _log.warning("records go to the spool", why=str(error))
            self._put_into_spool(records)

    def _is_spool_in_use(self) -> bool:
        """Records go behind those that wait there, or they would be stored out of order."""
        return self._backoff.remaining_seconds() > 0 or not self._spool.is_empty()

    def _put_into_spool(self, records: Sequence[RequestRecord]) -> None:
        self._spool.append(records)
        self._metrics.spooled_records.inc(len(records))
        self._replayer.wake()

    def _refuse(self, group: Group, places: range, error: NotRecorded) -> None:
        self._last_group_failed = True
        self._metrics.unkept_records.labels("not_durable").inc(len(places))
        if not self._is_strict:
            _log.error("records lost", why=str(error), records=len(places))
        for place in places:
            group.refuse(place, error)
