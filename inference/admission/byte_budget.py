"""How many bytes are in memory together, whoever they belong to."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from inference.refusals import OVERLOADED, Refused


class ByteBudget:
    """Counts bytes of many holders against one bound. Safe to share between threads."""

    def __init__(self, max_bytes: int) -> None:
        self._free_bytes = self._max_bytes = max_bytes
        self._lock = Lock()

    @property
    def used_bytes(self) -> int:
        """Bytes that are taken."""
        return self._max_bytes - self._free_bytes

    @contextmanager
    def reserve(self) -> Iterator["Share"]:
        """A share that is empty yet; all that it has is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            share.close()

    def take(self, count: int) -> bool:
        """Take bytes; ``False`` if there are no more."""
        with self._lock:
            if count > self._free_bytes:
                return False
            self._free_bytes -= count
            return True

    def give_back(self, count: int) -> None:
        """Give back bytes that were taken."""
        with self._lock:
            self._free_bytes += count


class Share:
    """What one holder has of a budget. Safe to share between threads.

    A thread may go on for a holder that has left: it gets nothing more, and gives nothing back.
    """

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._lock = Lock()
        self._is_closed = False
        self.byte_count = 0

    def take(self, count: int) -> None:
        """Take bytes.

        Raises:
            Refused: there are no more.
        """
        if not self.take_if_free(count):
            raise Refused(OVERLOADED)

    def take_if_free(self, count: int) -> bool:
        """Take bytes; ``False`` if there are no more."""
        with self._lock:
            if self._is_closed or not self._budget.take(count):
                return False
            self.byte_count += count
            return True

    def give_back(self, count: int) -> None:
        """Give back some of them."""
        with self._lock:
            if not self._is_closed:
                self.byte_count -= count
                self._budget.give_back(count)

    def close(self) -> None:
        """Give back all of them."""
        with self._lock:
            self._is_closed = True
            self._budget.give_back(self.byte_count)
            self.byte_count = 0
