"""A clock that nobody sets: it goes on while the machine sleeps and when the time is put back."""

import time

# Linux's monotonic clock stands still while the machine sleeps; this one does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_seconds() -> float:
    """Seconds since some moment before the process began."""
    return time.clock_gettime(_CLOCK)
