"""Resource limits, each tried out in a process of its own."""

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL, SIGXCPU

import pytest

Confined = Callable[..., "subprocess.CompletedProcess[str]"]
LOCK = "rlimits.apply(Resources(memory_bytes=200_000_000, cpu_seconds=60))"
ONE_SECOND = "rlimits.apply(Resources(memory_bytes=200_000_000, cpu_seconds=1))"


def test_memory_beyond_the_limit_is_an_error_of_python(confined: Confined) -> None:
    assert confined("", LOCK, "bytearray(100_000_000)").stdout == "succeeded"
    assert confined("", LOCK, "bytearray(220_000_000)").stdout == "MemoryError None"


def test_memory_in_use_beforehand_does_not_count(confined: Confined) -> None:
    prepare = "held = bytearray(400_000_000)"
    assert confined(prepare, LOCK, "bytearray(100_000_000)").stdout == "succeeded"


def test_endless_work_is_ended_and_told_from_other_ends(confined: Confined) -> None:
    found = confined("", ONE_SECOND, "exec('while True: pass')")
    assert (found.returncode, found.stdout) == (-SIGXCPU, "")


def test_who_does_not_heed_the_soft_limit_is_killed_at_the_hard_one(confined: Confined) -> None:
    prepare = "signal.signal(signal.SIGXCPU, signal.SIG_IGN)"
    found = confined(prepare, ONE_SECOND, "exec('while True: pass')")
    assert (found.returncode, found.stdout) == (-SIGKILL, "")


def test_the_soft_limit_of_processor_time_lies_below_the_hard_one(confined: Confined) -> None:
    attempt = "os.write(1, repr(resource.getrlimit(resource.RLIMIT_CPU)).encode())"
    assert confined("", LOCK, attempt).stdout == "(60, 61)succeeded"


def test_nothing_is_written_even_to_open_files(confined: Confined, tmp_path: Path) -> None:
    file = tmp_path / "open"
    prepare = f"opened = os.open({str(file)!r}, os.O_CREAT | os.O_WRONLY)"
    assert confined(prepare, LOCK, "os.write(opened, b'x')").stdout == "OSError 27"
    assert file.read_bytes() == b""


@pytest.mark.parametrize("limit", ["CORE", "FSIZE", "NPROC"])
def test_the_others_are_zero(confined: Confined, limit: str) -> None:
    attempt = f"os.write(1, repr(resource.getrlimit(resource.RLIMIT_{limit})).encode())"
    assert confined("", LOCK, attempt).stdout == "(0, 0)succeeded"


def test_limits_that_are_tighter_already_stay(confined: Confined) -> None:
    tight = "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))"
    lock = "rlimits.apply(Resources(memory_bytes=200_000_000, cpu_seconds=1_000))"
    attempt = "os.write(1, repr(resource.getrlimit(resource.RLIMIT_CPU)).encode())"
    assert confined(tight, lock, attempt).stdout == "(1, 1)succeeded"


def test_the_tests_own_process_is_not_limited() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0
