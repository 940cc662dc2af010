"""Resource limits of a worker process (setrlimit(2))."""

import resource
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = resource.getpagesize()


@dataclass(frozen=True)
class Resources:
    """What a worker may use.

    Attributes:
        memory_bytes: address space on top of what the process has when it is limited.
        cpu_seconds: processor time in its whole life.
    """

    memory_bytes: int
    cpu_seconds: int


def apply(resources: Resources) -> None:
    """Limit this process for good: memory, processor time, no core dump, no file, no process."""
    used_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE_BYTES
    _limit(resource.RLIMIT_AS, used_bytes + resources.memory_bytes)
    # At the soft limit comes SIGXCPU, which says why; at the hard one SIGKILL.
    _limit(resource.RLIMIT_CPU, resources.cpu_seconds, grace=1)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)


def _limit(kind: int, most: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(kind)
    soft, ceiling = most, most + grace
    if hard != resource.RLIM_INFINITY:
        soft, ceiling = min(soft, hard), min(ceiling, hard)
    resource.setrlimit(kind, (soft, ceiling))
