"""The queue in front of the recorder's writer: bounded, and emptied in groups."""

from collections import deque
from dataclasses import dataclass
from threading import Condition, Event, Lock
from time import monotonic

from inference.recording.recorder_settings import RecorderLimits
from store.requests.records import RequestRecord
from store.spool.spool import NotRecorded


class QueueFull(NotRecorded):
    """More records come than can be written."""


class QueueClosed(NotRecorded):
    """The service is going down."""


class Group:
    """Records that become durable together; their callers wait for the same moment.

    Attributes:
        queued_at: when its oldest record came, monotonic seconds.
    """

    def __init__(self, queued_at: float) -> None:
        self.queued_at = queued_at
        self.records: list[RequestRecord] = []
        self._failures: dict[int, NotRecorded] = {}
        self._completion = Event()

    def __len__(self) -> int:
        return len(self.records)

    def refuse(self, place: int, error: NotRecorded) -> None:
        """Say that one of the records is kept nowhere."""
        self._failures[place] = error

    def finish(self) -> None:
        """Tell all callers; what was not refused is durable."""
        self._completion.set()

    def wait(self, place: int) -> None:
        """Wait until a record is durable.

        Raises:
            NotRecorded: it was refused.
        """
        self._completion.wait()
        if place in self._failures:
            raise self._failures[place]


@dataclass(frozen=True, eq=False, slots=True)
class Ticket:
    """A record on its way: the group that it goes with, and its place there."""

    group: Group
    place: int

    def wait(self) -> None:
        """Wait until the record is durable.

        Raises:
            NotRecorded: it is not.
        """
        self.group.wait(self.place)


class RecordQueue:
    """Many callers put records in; one writer takes groups out."""

    def __init__(self, limits: RecorderLimits) -> None:
        self._limits = limits
        self._batch = min(limits.batch, limits.queue)
        self._groups: deque[Group] = deque()
        self._records = 0
        self._is_closed = False
        self._callers_waiting = 0
        lock = Lock()
        self._arrival, self._room = Condition(lock), Condition(lock)

    def __len__(self) -> int:
        return self._records

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
            if not self._groups or len(self._groups[-1]) >= self._batch:
                self._groups.append(Group(monotonic()))
            group = self._groups[-1]
            group.records.append(record)
            self._records += 1
            # The writer sleeps until there is a first record, or until a group is full.
            if len(group) in {1, self._batch}:
                self._arrival.notify()
            return Ticket(group, len(group) - 1)

    def take(self) -> Group | None:
        """The next group, oldest first; ``None`` once the queue is closed and everything was taken.

        A group is complete when its oldest record has waited long enough, or when it is full. A
        record that finds the writer idle is a group at once: those that come while it is written
        are the next one.
        """
        with self._arrival:
            if self._groups:
                self._wait_for_company(self._groups[0])
            else:
                self._arrival.wait_for(lambda: self._groups or self._is_closed)
            if not self._groups:
                return None
            group = self._groups.popleft()
            self._records -= len(group)
            self._room.notify(len(group))
            return group

    def close(self) -> None:
        """Take nothing more; what is queued can still be taken out."""
        with self._arrival:
            self._is_closed = True
            self._arrival.notify_all()
            self._room.notify_all()

    def _wait_for_room(self) -> None:
        if not self._has_room():
            self._callers_waiting += 1
            try:
                self._room.wait_for(self._has_room, self._limits.queue_seconds)
            finally:
                self._callers_waiting -= 1
        if self._is_closed:
            raise QueueClosed("The service is going down and records nothing any more.")
        if not self._has_room():
            raise QueueFull(
                f"{len(self)} records wait to be written: the database is too slow for this load."
            )

    def _has_room(self) -> bool:
        return self._is_closed or self._records < self._limits.queue

    def _wait_for_company(self, group: Group) -> None:
        complete_at = group.queued_at + self._limits.wait_seconds
        self._arrival.wait_for(
            lambda: self._is_closed or len(group) >= self._batch,
            max(0.0, complete_at - monotonic()),
        )
