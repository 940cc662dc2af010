"""How much memory a process used at most, picture by picture (proc_pid_status(5))."""

import os
import re

_PEAK = re.compile(rb"VmHWM:\s+(\d+) kB")
_RESET_PEAK = b"5"


class PeakMemory:
    """Reads and resets this process's peak resident memory, through files opened beforehand."""

    def __init__(self) -> None:
        self._status = _open_file("/proc/self/status", os.O_RDONLY)
        self._reset = _open_file("/proc/self/clear_refs", os.O_WRONLY)

    def reset(self) -> None:
        """Start to measure anew, where the system allows that."""
        if self._reset is not None:
            try:
                os.pwrite(self._reset, _RESET_PEAK, 0)
            except OSError:
                self._reset = None

    def read(self) -> int:
        """Bytes since the last reset; 0 where the system does not tell."""
        if self._status is None:
            return 0
        match = _PEAK.search(os.pread(self._status, 4_096, 0))
        return int(match.group(1)) * 1_024 if match else 0


def _open_file(path: str, flags: int) -> int | None:
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError:
        return None
