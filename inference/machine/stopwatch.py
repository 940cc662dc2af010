"""Measures how long the steps of a request take."""

from time import perf_counter


class Stopwatch:
    """Milliseconds between laps and in total."""

    def __init__(self) -> None:
        self._start = self._last = perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap."""
        now = perf_counter()
        milliseconds, self._last = (now - self._last) * 1000, now
        return milliseconds

    def total(self) -> float:
        """Milliseconds since the start."""
        return (perf_counter() - self._start) * 1000
