"""Work that is done beside the traffic: a bounded queue with one thread."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

import structlog

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 30.0


@dataclass(frozen=True)
class QueuedWork:
    """Something to do, and the memory that it holds until it is done."""

    act: Callable[[], None]
    byte_count: int


class ReplyQueue:
    """Does work in its order; what finds no place is left to whoever brought it.

    Args:
        max_count: of what waits.
        max_bytes: of what waits and what is being done, together.
        count_fault: is called for work that broke.
    """

    def __init__(
        self, max_count: int, max_bytes: int, count_fault: Callable[[], None] = lambda: None
    ) -> None:
        self._max_count, self._max_bytes = max_count, max_bytes
        self._count_fault = count_fault
        self._works: deque[QueuedWork] = deque()
        self._byte_count = 0
        self._changed = Condition()
        self._is_closed = False
        self._thread = Thread(target=self._work, name="replies", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._works)

    def put(self, work: QueuedWork) -> bool:
        """Take work on, if there is room for it."""
        with self._changed:
            is_full = len(self._works) >= self._max_count
            if self._is_closed or is_full or self._byte_count + work.byte_count > self._max_bytes:
                return False
            self._works.append(work)
            self._byte_count += work.byte_count
            self._changed.notify_all()
        return True

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until everything is done; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._byte_count, seconds)

    def close(self) -> None:
        """Do what waits, then end; it is given half a minute."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(_STOP_SECONDS)
        if self._works:
            _log.error("replies were not measured", replies=len(self._works))

    def _work(self) -> None:
        while (work := self._take()) is not None:
            try:
                work.act()
            except Exception:  # noqa: BLE001
                # Open on purpose: the client has its answer, and others wait.
                self._count_fault()
                _log.exception("reply not measured")
            with self._changed:
                self._byte_count -= work.byte_count
                self._changed.notify_all()

    def _take(self) -> QueuedWork | None:
        with self._changed:
            self._changed.wait_for(lambda: self._works or self._is_closed)
            return self._works.popleft() if self._works else None
