"""How pools begin and end: closed at work, killed with the service, never started."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.media import MediaType
from inference.gate.sandbox.pool import DecoderPool, DecoderUnusable
from tests.inference.gate.sandbox.conftest import in_a_hurry
from tests.waiting import wait_for

OpenPool = Callable[..., DecoderPool]
State = Callable[[int], str]
PARENT = """
import sys
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.sandbox.process import WorkerLimits
picture = PictureLimits(max_scans=100_000)
pool = DecoderPool(1, WorkerLimits(2_000_000, 300_000_000, 60.0, 9, picture))
print(*pool.pids(), flush=True)
data = sys.stdin.buffer.read()
if data:
    pool.decode(data, MediaType.JPEG)
"""


def test_after_closing_no_worker_is_left(open_pool: OpenPool, state: State) -> None:
    pool = open_pool(2)
    pids = pool.pids()
    assert len(pids) == 3
    os.kill(pids[0], SIGSTOP)
    pool.close()
    assert not any(map(state, pids))
    assert pool.pids() == ()
    pool.close()


def test_closing_while_a_picture_is_decoded_leaves_no_worker(
    warm_pool: OpenPool, state: State, laborious: bytes
) -> None:
    pool = warm_pool()
    pids = pool.pids()
    with in_a_hurry(pool), ThreadPoolExecutor(1) as executor:
        future = executor.submit(pool.decode, laborious, MediaType.JPEG)
        wait_for(lambda: "R" in map(state, pids) or future.done())
        pool.close()
        assert future.result()[0].refusal == "takes_too_long"
    assert pool.pids() == ()
    assert not any(map(state, pids))


def test_who_is_at_work_may_finish_while_the_pool_is_closed(
    warm_pool: OpenPool, png: bytes, photo: Pillow.Image
) -> None:
    pool = warm_pool()
    pids = pool.pids()
    for pid in pids:
        os.kill(pid, SIGSTOP)
    with ThreadPoolExecutor(2) as executor:
        future = executor.submit(pool.decode, png, MediaType.PNG)
        wait_for(lambda: pool._free.qsize() == 1)
        closing = executor.submit(pool.close)
        wait_for(pool._closed.is_set)
        for pid in pids:
            with suppress(ProcessLookupError):  # the idle one may be gone by now
                os.kill(pid, SIGCONT)
        reply, image = future.result()
        closing.result()
    assert (reply.refusal, image is not None) == ("", True)
    assert np.array_equal(np.asarray(image), np.asarray(photo))
    assert pool.pids() == ()


def test_a_closed_pool_refuses_and_starts_nothing(
    open_pool: OpenPool, ends: Counter[str], png: bytes
) -> None:
    pool = open_pool()
    pool.close()
    reply, image = pool.decode(png, MediaType.PNG)
    assert (reply.refusal, image) == ("decoder_unavailable", None)
    assert (pool.pids(), ends) == ((), {})


@pytest.mark.parametrize("at_work", [False, True])
def test_when_the_service_is_killed_its_workers_end(
    state: State, laborious: bytes, at_work: bool
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdin
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        if at_work:
            parent.stdin.write(laborious)
            parent.stdin.close()
            wait_for(lambda: "R" in map(state, pids))
        parent.kill()
    wait_for(lambda: not any(map(state, pids)))


@pytest.mark.parametrize("program", ["/bin/false", "/nonexistent/python"])
def test_workers_that_do_not_start_are_said_at_once(
    open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    before = _open_files()
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(DecoderUnusable, match="doctor"):
        open_pool()
    assert not _open_files() - before


def _open_files() -> set[str]:
    links = list(Path("/proc/self/fd").iterdir())
    return {str(link.readlink()) for link in links if link.is_symlink()}
