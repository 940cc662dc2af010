"""The queue in front of the recorder's writer: bounded, and emptied in groups."""

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Lock
from time import monotonic

from inference.recorder_settings import RecorderLimits
from store.records import RequestRecord
from store.spool import NotRecorded


class QueueFull(NotRecorded):
    """More records come than can be written."""


class QueueClosed(NotRecorded):
    """The service is going down."""


@dataclass(frozen=True, eq=False)
class Ticket:
    """A record on its way.

    Attributes:
        done: ends when the record is durable, or with what went wrong.
        queued_at: monotonic seconds.
    """

    record: RequestRecord
    queued_at: float
    done: Future[None] = field(default_factory=Future)


class RecordQueue:
    """Many callers put records in; one writer takes groups out."""

    def __init__(self, limits: RecorderLimits) -> None:
        self._limits = limits
        self._batch = min(limits.batch, limits.queue)
        self._tickets: deque[Ticket] = deque()
        self._closed = False
        self._callers_waiting = 0
        lock = Lock()
        self._arrived, self._room = Condition(lock), Condition(lock)

    def __len__(self) -> int:
        return len(self._tickets)

    @property
    def callers_waiting(self) -> int:
        """Callers that wait for a place."""
        return self._callers_waiting

    def put(self, record: RequestRecord) -> Ticket:
        """Queue a record, after waiting for a place if there is none.

        Raises:
            QueueFull: there was no place for too long.
            QueueClosed: nothing is taken any more.
        """
        with self._room:
            self._wait_for_room()
            ticket = Ticket(record, monotonic())
            self._tickets.append(ticket)
            # The writer sleeps until there is a first record, or until a group is full.
            if len(self._tickets) in {1, self._batch}:
                self._arrived.notify()
            return ticket

    def take(self) -> list[Ticket]:
        """The next group, oldest first; empty once the queue is closed and everything was taken.

        A group is complete when its oldest record has waited long enough, or when it is full. A
        record that finds the writer idle is a group at once: those that come while it is written
        are the next one.
        """
        with self._arrived:
            if self._tickets:
                self._wait_for_company()
            else:
                self._arrived.wait_for(lambda: self._tickets or self._closed)
            group = [self._tickets.popleft() for _ in range(min(self._batch, len(self._tickets)))]
            self._room.notify(len(group))
            return group

    def close(self) -> None:
        """Take nothing more; what is queued can still be taken out."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
            self._room.notify_all()

    def _wait_for_room(self) -> None:
        if not self._has_room():
            self._callers_waiting += 1
            try:
                self._room.wait_for(self._has_room, self._limits.queue_seconds)
            finally:
                self._callers_waiting -= 1
        if self._closed:
            raise QueueClosed("The service is going down and records nothing any more.")
        if not self._has_room():
            raise QueueFull(
                f"{len(self)} records wait to be written: the database is too slow for this load."
            )

    def _has_room(self) -> bool:
        return self._closed or len(self._tickets) < self._limits.queue

    def _wait_for_company(self) -> None:
        complete_at = self._tickets[0].queued_at + self._limits.wait_seconds
        self._arrived.wait_for(
            lambda: self._closed or len(self._tickets) >= self._batch,
            max(0.0, complete_at - monotonic()),
        )
