"""What the system says about processes."""

import re
from pathlib import Path

_RESIDENT = re.compile(r"VmRSS:\s+(\d+) kB")


def resident_mb(pid: int | str = "self") -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = _RESIDENT.search(status)
    return int(match.group(1)) * 1_024 / 1e6 if match else 0.0


def name_processor() -> str:
    """What the system calls the processor."""
    match = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return match.group(1) if match else "unknown"


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def workers_of(pid: int) -> tuple[int, ...]:
    """Decode workers that a process has started."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    pids = (int(child) for each in children for child in each.read_text().split())
    return tuple(child for child in pids if _is_worker(child))


def _is_worker(pid: int) -> bool:
    try:
        return b"inference.gate.sandbox.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
