"""Turns that threads get in the order in which they come."""

from collections import deque
from threading import Event, Lock


class Turns:
    """So many threads work at a time; whoever waits longest is next.

    With a plain semaphore a thread that gives its turn back and asks for another one at once would
    mostly get it, and those that wait would starve while there is work.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Event] = deque()
        self._lock = Lock()

    def take(self) -> None:
        """Wait for a turn."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = Event()
            self._waiting.append(turn)
        turn.wait()

    def give_back(self) -> None:
        """Give a turn to whoever is next."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
