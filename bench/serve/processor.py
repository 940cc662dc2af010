"""Processor time of a process tree: it counts less of the neighbours than the clock does."""

import os
from pathlib import Path

from bench.gate.processes import workers_of

_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """What a service, its decode workers and those that ended before have used."""
    own = _times(pid)
    # Of workers that end between two looks at the system, the service has the times itself.
    workers = (_times(worker)[:2] for worker in workers_of(pid))
    return _TICK_SECONDS * (sum(own) + sum(map(sum, workers)))


def _times(pid: int) -> tuple[int, ...]:
    """Ticks in user and system mode, and those of its children that ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return ()
    return tuple(int(word) for word in words[11:15])
