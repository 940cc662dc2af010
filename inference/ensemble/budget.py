"""How much computing the ensembles of a service may take."""

from threading import Lock

_BURST_SECONDS = 60.0


class Budget:
    """A bucket of seconds that fills at a steady rate; safe to share between threads.

    Whoever finds anything in it may take what is needed, also more than is left: then nobody gets
    any until the debt is paid. So even a look that is longer than the bucket is deep comes to its
    turn, and for long no more than the rate is spent. Kept as one number, the time at which the
    bucket will be full again (the generic cell rate algorithm, ITU-T I.371).

    Args:
        per_second: seconds of work for each second of time; 0: none at all.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._full_at = 0.0
        self._lock = Lock()

    def take(self, seconds: float, now: float) -> bool:
        """Take what a look will need.

        Args:
            seconds: an estimate; :meth:`settle` puts it right.
            now: monotonic time in seconds.

        Returns:
            Whether the look may begin.
        """
        with self._lock:
            full_at = max(now, self._full_at)
            if not self._per_second or full_at - now >= _BURST_SECONDS:
                return False
            self._full_at = full_at + seconds / self._per_second
            return True

    def settle(self, estimate: float, cost: float) -> None:
        """Replace the estimate of a look that was taken by what it needed."""
        with self._lock:
            self._full_at += (cost - estimate) / self._per_second
