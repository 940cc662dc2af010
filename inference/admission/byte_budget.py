"""How many bytes are in memory together, whoever they belong to."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from inference.refusals import OVERLOADED, Refused


class ByteBudget:
    """Counts bytes of many holders against one bound. Safe to share between threads.

    Args:
        max_client_bytes: that the shares of one client have together; default: no such bound.
    """

    def __init__(self, max_bytes: int, max_client_bytes: int | None = None) -> None:
        self._free_bytes = self._max_bytes = max_bytes
        self._max_client_bytes = max_bytes if max_client_bytes is None else max_client_bytes
        self._used_by = Counter[str]()
        self._lock = Lock()

    @property
    def used_bytes(self) -> int:
        """Bytes that are taken."""
        return self._max_bytes - self._free_bytes

    @contextmanager
    def reserve(self, client: str = "") -> Iterator["Share"]:
        """A share that is empty yet; all that it has is given back at the end.

        Args:
            client: whom it counts for, too; nobody's shares have no bound of their own.
        """
        share = Share(self, client)
        try:
            yield share
        finally:
            share.close()

    def take(self, count: int, client: str = "") -> bool:
        """Take bytes; ``False`` if there are no more, or the client has its part of them."""
        with self._lock:
            used = self._used_by.get(client, 0)
            is_over = client and used + count > self._max_client_bytes
            if is_over or count > self._free_bytes:
                return False
            self._count(count, client)
            return True

    def give_back(self, count: int, client: str = "") -> None:
        """Give back bytes that were taken."""
        with self._lock:
            self._count(-count, client)

    def _count(self, change: int, client: str) -> None:
        self._free_bytes -= change
        if client:
            self._used_by[client] += change
            if not self._used_by[client]:
                del self._used_by[client]


class Share:
    """What one holder has of a budget. Safe to share between threads.

    A thread may go on for a holder that has left: it gets nothing more, and gives nothing back.
    """

    def __init__(self, budget: ByteBudget, client: str) -> None:
        self._budget, self._client = budget, client
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
            if self._is_closed or not self._budget.take(count, self._client):
                return False
            self.byte_count += count
            return True

    def give_back(self, count: int) -> None:
        """Give back some of them."""
        with self._lock:
            if not self._is_closed:
                self.byte_count -= count
                self._budget.give_back(count, self._client)

    def close(self) -> None:
        """Give back all of them."""
        with self._lock:
            self._is_closed = True
            self._budget.give_back(self.byte_count, self._client)
            self.byte_count = 0
