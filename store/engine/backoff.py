"""When to try something again that failed."""

from collections.abc import Callable
from threading import Lock
from time import monotonic


class Backoff:
    """A pause after each failure, twice as long each time, up to a limit; threads may share it."""

    def __init__(
        self,
        first_seconds: float = 0.5,
        max_seconds: float = 10.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._first_seconds = first_seconds
        self._max_seconds = max_seconds
        self._clock = clock
        self._lock = Lock()
        self._pause_seconds = 0.0
        self._until = clock()

    def begin_pause(self) -> None:
        """Begin the next pause."""
        with self._lock:
            longer = max(self._first_seconds, 2 * self._pause_seconds)
            self._pause_seconds = min(self._max_seconds, longer)
            self._until = self._clock() + self._pause_seconds

    def end_pause(self) -> None:
        """End the pause; the next one will be the shortest again."""
        with self._lock:
            self._pause_seconds = 0.0
            self._until = self._clock()

    def remaining_seconds(self) -> float:
        """How long the pause still lasts; 0 if it is time to try."""
        return max(0.0, self._until - self._clock())
