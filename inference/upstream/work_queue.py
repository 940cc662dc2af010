"""A queue of work that is bounded twice, by how much waits and by its bytes, and its threads."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic

from inference.upstream.turns import Turns


@dataclass(frozen=True)
class Work:
    """Something to do.

    Attributes:
        size_bytes: memory that it keeps until it is done.
        run: does it, and raises nothing.
    """

    size_bytes: int
    run: Callable[[], None]


class WorkQueue:
    """Threads do in its order what others put in; nobody waits for a place.

    Work counts until it is done, so that what is in memory stays within the bounds.

    Args:
        threads: that work at the same time.
        waiting: further threads, which take the turns of those that wait; see :meth:`wait_aside`.
    """

    def __init__(
        self, name: str, max_items: int, max_bytes: int, threads: int, waiting: int = 0
    ) -> None:
        self._max_items, self._max_bytes = max_items, max_bytes
        self._waiting: deque[Work] = deque()
        self._items = self._bytes = 0
        self._is_closed = False
        self._change = Condition()
        self._turns = Turns(threads)
        names = [f"maskwatch-{name}-{number}" for number in range(threads + waiting)]
        self._threads = [Thread(target=self._run, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        return self._items

    @property
    def size_bytes(self) -> int:
        """Bytes of all that waits or is under way."""
        return self._bytes

    def has_room(self, size_bytes: int) -> bool:
        """Whether work of this size would be taken now."""
        is_within = self._bytes + size_bytes <= self._max_bytes and self._items < self._max_items
        return is_within and not self._is_closed

    def put(self, work: Work) -> bool:
        """Take work in; ``False`` if there is no room for it."""
        with self._change:
            if not self.has_room(work.size_bytes):
                return False
            self._waiting.append(work)
            self._count(work, 1)
            self._change.notify()
            return True

    @property
    def is_half_empty(self) -> bool:
        """Whether less than half of either bound is used."""
        return 2 * self._items < self._max_items and 2 * self._bytes < self._max_bytes

    @contextmanager
    def wait_aside(self) -> Iterator[None]:
        """For work that waits for something else: others get its turn meanwhile."""
        self._turns.give_back()
        try:
            yield
        finally:
            self._turns.take()

    def close(self, seconds: float) -> int:
        """Take nothing more in, do what waits for some time, and say how much was left undone."""
        end = monotonic() + seconds
        with self._change:
            self._is_closed = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))
        with self._change:
            left = len(self._waiting)
            self._waiting.clear()
        return left

    def _run(self) -> None:
        while work := self._take():
            self._turns.take()
            work.run()
            self._turns.give_back()
            with self._change:
                self._count(work, -1)

    def _take(self) -> Work | None:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._is_closed)
            return self._waiting.popleft() if self._waiting else None

    def _count(self, work: Work, sign: int) -> None:
        self._items += sign
        self._bytes += sign * work.size_bytes
