"""Real worker processes, and ways to wait for what becomes of them."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType
from inference.gate.sandbox import seat
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.sandbox.process import WorkerLimits, WorkerProcess
from tests.waiting import PATIENCE_SECONDS, wait_for


@pytest.fixture(autouse=True)
def own_workers(shared_parts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that nobody used before, and that end when they are told to."""
    monkeypatch.setattr(seat, "WorkerProcess", WorkerProcess)


@pytest.fixture(scope="session")
def worker_limits() -> Callable[..., WorkerLimits]:
    def build(**changes: Any) -> WorkerLimits:
        usual = {
            "max_upload_bytes": 2_000_000,
            "memory_bytes": 300_000_000,
            "wall_seconds": PATIENCE_SECONDS,
            "max_orders": 1_000,
            "picture": PictureLimits(max_pixels=4_000_000, max_scans=100_000, free_passes=10**12),
        }
        return WorkerLimits(**{**usual, **changes})

    return build


@pytest.fixture
def ends() -> Counter[str]:
    """How often workers ended, by why."""
    return Counter()


@pytest.fixture
def open_pool(
    worker_limits: Callable[..., WorkerLimits], ends: Counter[str]
) -> Iterator[Callable[..., DecoderPool]]:
    """Pools that are closed when the test is over; their ends are counted."""
    opened: list[DecoderPool] = []

    def start(size: int = 1, **limits: Any) -> DecoderPool:
        pool = DecoderPool(size, worker_limits(**limits), lambda end: ends.update([end]))
        opened.append(pool)
        return pool

    yield start
    for pool in opened:
        pool.close()


@pytest.fixture(scope="session")
def state() -> Callable[[int], str]:
    """What a process does: ``R`` runs, ``S`` sleeps, ``T`` is stopped, empty: it is gone."""

    def letter(pid: int) -> str:
        try:
            found = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if found in "ZX" else found

    return letter


@pytest.fixture
def warm_pool(
    open_pool: Callable[..., DecoderPool],
    png: bytes,
    state: Callable[[int], str],
) -> Callable[..., DecoderPool]:
    """Pools whose workers have all decoded something and wait for more."""

    def start(size: int = 1, **limits: Any) -> DecoderPool:
        pool = open_pool(size, **limits)
        with ExitStack() as seats:
            for _ in pool.pids():
                seat = seats.enter_context(pool._seat())
                assert seat is not None
                assert not seat.decode(png, MediaType.PNG)[0].refusal
        wait_for(lambda: set(map(state, pool.pids())) == {"S"})
        return pool

    return start


@contextmanager
def in_a_hurry(pool: DecoderPool) -> Iterator[None]:
    """Those who work in a pool now have half a second for a picture; who takes their place has not.

    A new worker that finds the machine busy shall not be out of time as well.
    """
    workers = [seat._worker for seat in pool._seats if seat._worker is not None]
    limits = [worker._limits for worker in workers]
    for worker in workers:
        worker._limits = replace(worker._limits, wall_seconds=0.5)
    yield
    for worker, usual in zip(workers, limits, strict=True):
        worker._limits = usual


@pytest.fixture(scope="session")
def find_busy(state: Callable[[int], str]) -> Callable[..., tuple[int, ...]]:
    """Waits until so many of some processes run, and says which: ``find_busy(pids, 2)``."""

    def find(pids: Iterable[int], count: int = 1) -> tuple[int, ...]:
        busy: set[int] = set()

        def have_begun() -> bool:
            busy.update(pid for pid in pids if state(pid) == "R")
            return len(busy) >= count

        wait_for(have_begun)
        return tuple(busy)

    return find


@pytest.fixture(scope="session")
def laborious(saved: Callable[..., bytes]) -> bytes:
    """A small progressive JPEG that keeps a decoder busy for long: one pass, over and over."""
    data = saved(Pillow.new("L", (2_000, 2_000), 120), "JPEG", progressive=True, quality=30)
    last = [found.start() for found in re.finditer(b"\xff\xda", data)][-1]
    return data[:-2] + data[last:-2] * 12_000 + data[-2:]


@pytest.fixture(scope="session")
def confined() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run Python in a process of its own: first what prepares, then a lock, then the attempt."""

    def run(prepare: str, lock: str, attempt: str) -> "subprocess.CompletedProcess[str]":
        program = f"""
import ctypes, json, mmap, os, resource, signal, socket, subprocess, sys, threading
from dataclasses import asdict
from inference.gate.sandbox import landlock, rlimits, seccomp
from inference.gate.sandbox.lockdown import lock_down
from inference.gate.sandbox.rlimits import Resources
libc = ctypes.CDLL(None, use_errno=True)
{prepare}
{lock}
try:
    {attempt}
except BaseException as error:
    answer = f"{{type(error).__name__}} {{getattr(error, 'errno', None)}}"
else:
    answer = "succeeded"
os.write(1, answer.encode())
os._exit(0)
"""
        return subprocess.run(
            [sys.executable, "-I", "-c", program],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    return run
