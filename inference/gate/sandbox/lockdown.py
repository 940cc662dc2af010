"""Locks a worker process down, and says what the kernel offered for it."""

from dataclasses import dataclass

from inference.gate.sandbox import landlock, rlimits, seccomp
from inference.gate.sandbox.rlimits import Resources


@dataclass(frozen=True)
class Sandbox:
    """What holds a worker.

    Attributes:
        limits: memory, processor time, no core dump, no file, no process.
        seccomp: system calls are filtered.
        landlock: version of the interface that forbids files and ports; 0 where there is none.
    """

    limits: bool
    seccomp: bool
    landlock: int

    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self.limits and self.seccomp and self.landlock > 0


def lock_down(resources: Resources) -> Sandbox:
    """Give up, for good, all that decoding does not need.

    What the kernel does not offer is left out and said: a missing part makes an attack easier, and
    a service that does not start protects nobody.
    """
    return Sandbox(_limits(resources), *_kernel_filters())


def _limits(resources: Resources) -> bool:
    try:
        rlimits.apply(resources)
    except (OSError, ValueError):
        return False
    return True


def _kernel_filters() -> tuple[bool, int]:
    try:
        seccomp.forbid_new_privileges()
    except OSError:
        return False, 0
    try:
        version = landlock.give_up_files_and_ports()
    except OSError:
        version = 0
    try:
        return seccomp.filter_system_calls(), version
    except OSError:
        return False, version
