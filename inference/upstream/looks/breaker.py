"""Leaves an upstream alone after failures, and tries it again after a pause."""

from collections.abc import Callable
from time import monotonic

_MAX_FAILURES = 3
FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 300.0


class Breaker:
    """Follows whether something fails; its owner sees to threads.

    After three failures in a row there is a pause, then one trial. A trial that fails doubles the
    next pause; a success, also one that nobody tried for, ends it.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._try_at: float | None = None
        self._is_tried = False

    def may_try(self) -> bool:
        """Whether there is no pause; at its end, the first who asks is told yes."""
        if self._try_at is None:
            return True
        now = self._clock()
        if now < self._try_at:
            return False
        # Whoever was told yes may never come back with an outcome.
        self._try_at, self._is_tried = now + self._pause_seconds, True
        return True

    def note_success(self) -> None:
        """It works."""
        self._failures, self._try_at, self._is_tried = 0, None, False
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def note_failure(self) -> None:
        """It failed."""
        self._failures += 1
        if self._is_tried:
            self._pause_seconds = min(LONGEST_PAUSE_SECONDS, 2 * self._pause_seconds)
        is_begun = self._try_at is None and self._failures >= _MAX_FAILURES
        if self._is_tried or is_begun:
            self._try_at, self._is_tried = self._clock() + self._pause_seconds, False
