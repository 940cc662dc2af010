"""The pool, with real workers that are killed, stopped, replaced and left behind."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from signal import SIGCONT, SIGKILL, SIGSEGV, SIGSTOP, Signals
from threading import Event, Thread

import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.sandbox.process import End
from inference.gate.sandbox.wire import Reply
from tests.inference.gate.sandbox.conftest import in_a_hurry
from tests.waiting import wait_for

OpenPool = Callable[..., DecoderPool]
Result = tuple[Reply, Image | None]
State = Callable[[int], str]
FindBusy = Callable[..., tuple[int, ...]]


def _is_right(result: Result, picture: Pillow.Image) -> bool:
    reply, image = result
    return not reply.refusal and image is not None and np.array_equal(image, np.asarray(picture))


def test_many_threads_each_get_their_own_picture(
    open_pool: OpenPool, saved: Callable[..., bytes]
) -> None:
    pool = open_pool(2)
    pictures = [Pillow.new("RGB", (40 + n, 30), (n, 2 * n, 3 * n)) for n in range(60)]
    files = [saved(picture, "PNG") for picture in pictures]
    with ThreadPoolExecutor(8) as executor:
        results = list(executor.map(lambda data: pool.decode(data, MediaType.PNG), files))
    assert all(map(_is_right, results, pictures))


def test_a_refused_upload_costs_no_worker(
    open_pool: OpenPool, ends: Counter[str], png: bytes, photo: Pillow.Image
) -> None:
    pool = open_pool()
    pids = pool.pids()
    for _ in range(4):
        assert pool.decode(png[:500], MediaType.PNG)[0].refusal == "truncated"
    assert _is_right(pool.decode(png, MediaType.PNG), photo)
    assert (pool.pids(), ends) == (pids, {})


def test_idle_workers_that_are_killed_cost_nobody_anything(
    warm_pool: OpenPool,
    ends: Counter[str],
    state: State,
    png: bytes,
    photo: Pillow.Image,
) -> None:
    pool = warm_pool(1)
    pids = pool.pids()
    for pid in pids:
        os.kill(pid, SIGKILL)
    wait_for(lambda: not any(map(state, pids)))
    assert _is_right(pool.decode(png, MediaType.PNG), photo)
    with pool._seat():  # so that the other one has to work
        assert _is_right(pool.decode(png, MediaType.PNG), photo)
    assert ends == {"killed": 2}
    assert not set(pids) & set(pool.pids())


@pytest.mark.parametrize("signal", [SIGKILL, SIGSEGV])
def test_a_worker_that_dies_at_work_costs_just_that_upload(
    warm_pool: OpenPool,
    ends: Counter[str],
    find_busy: FindBusy,
    laborious: bytes,
    png: bytes,
    photo: Pillow.Image,
    signal: Signals,
) -> None:
    pool = warm_pool()
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(pool.decode, laborious, MediaType.JPEG)
        (busy,) = find_busy(pool.pids())
        assert _is_right(pool.decode(png, MediaType.PNG), photo)
        os.kill(busy, signal)
        reply, image = future.result()
    assert (reply.refusal, image) == ("decoder_crashed", None)
    assert all(_is_right(pool.decode(png, MediaType.PNG), photo) for _ in range(4))
    assert ends == {"killed" if signal is SIGKILL else "crashed": 1}
    assert busy not in pool.pids()


def test_a_picture_that_takes_too_long_costs_just_itself(
    open_pool: OpenPool, ends: Counter[str], laborious: bytes, png: bytes, photo: Pillow.Image
) -> None:
    pool = open_pool()
    with in_a_hurry(pool):
        reply, image = pool.decode(laborious, MediaType.JPEG)
    assert (reply.refusal, image) == ("takes_too_long", None)
    assert all(_is_right(pool.decode(png, MediaType.PNG), photo) for _ in range(4))
    assert ends == {"time": 1}


def test_a_stopped_worker_costs_just_one_upload(
    warm_pool: OpenPool, ends: Counter[str], png: bytes, photo: Pillow.Image
) -> None:
    pool = warm_pool()
    with pool._seat() as held, in_a_hurry(pool):
        assert held is not None
        (other,) = set(pool.pids()) - {held.pid}
        os.kill(other, SIGSTOP)
        refusals = [pool.decode(png, MediaType.PNG)[0].refusal for _ in range(3)]
    assert refusals == ["takes_too_long", "", ""]
    assert _is_right(pool.decode(png, MediaType.PNG), photo)
    assert ends == {"time": 1}


def test_who_worked_last_works_next_and_who_has_just_started_comes_last(
    warm_pool: OpenPool, png: bytes
) -> None:
    pool = warm_pool(1)
    with pool._seat() as first, pool._seat() as second:
        assert first is not None
        assert second is not None
    with pool._seat() as again:
        assert again is first  # it was given back last
    os.kill(first.pid or 0, SIGKILL)
    first._replace(End.KILLED)
    with pool._seat() as top:
        assert top is first
    with pool._seat() as warm:
        assert warm is second


def test_random_kills_cost_at_most_one_upload_each(
    warm_pool: OpenPool, ends: Counter[str], saved: Callable[..., bytes]
) -> None:
    # Time is not the subject: on a busy machine new workers and free ones are long in coming.
    pool, over, kills = warm_pool(3, wall_seconds=120.0), Event(), Counter[str]()
    pictures = [Pillow.new("RGB", (200 + n, 150), (n, 2 * n, n)) for n in range(100)]
    files = [saved(picture, "PNG") for picture in pictures]

    def kill_now_and_then() -> None:
        chance = np.random.default_rng(7)
        while kills["kill"] < 60 and not over.wait(0.02):
            # For a moment there may be none: all are being replaced.
            pids = pool.pids()
            with suppress(ProcessLookupError):
                if pids:
                    os.kill(int(chance.choice(pids)), chance.choice([SIGKILL, SIGSEGV]))
                    kills["kill"] += 1

    killer = Thread(target=kill_now_and_then)
    killer.start()
    wait_for(lambda: kills["kill"])
    with ThreadPoolExecutor(6) as executor:
        results = list(executor.map(lambda data: pool.decode(data, MediaType.PNG), files * 3))
    over.set()
    killer.join()
    with ExitStack() as seats:
        for _ in range(4):
            seat = seats.enter_context(pool._seat())
            assert seat is not None
            seat.decode(files[0], MediaType.PNG)  # so that it notices if its worker is gone
    refused = [reply.refusal for reply, _ in results if reply.refusal]
    assert set(refused) <= {"decoder_crashed", "decoder_unavailable"}
    assert len(refused) <= kills["kill"]
    assert 0 < ends.total() <= kills["kill"]
    pairs = zip(results, pictures * 3, strict=True)
    assert all(_is_right(result, picture) or result[0].refusal for result, picture in pairs)
    assert _is_right(pool.decode(files[0], MediaType.PNG), pictures[0])


def test_workers_are_replaced_after_so_many_orders(
    open_pool: OpenPool, ends: Counter[str], png: bytes, photo: Pillow.Image
) -> None:
    pool = open_pool(max_orders=2)
    pids = pool.pids()
    assert all(_is_right(pool.decode(png, MediaType.PNG), photo) for _ in range(4))
    assert ends == {"recycled": 2}
    assert not set(pids) & set(pool.pids())


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        ("PNG", "too_much_memory"),
        ("JPEG", "too_much_memory"),
        ("WEBP", "unreadable"),  # its decoder does not say why it failed
    ],
)
def test_too_little_memory_is_a_refusal_and_the_pool_goes_on(
    open_pool: OpenPool,
    ends: Counter[str],
    saved: Callable[..., bytes],
    png: bytes,
    photo: Pillow.Image,
    kind: str,
    refusal: str,
) -> None:
    picture = PictureLimits(max_pixels=40_000_000, max_expansion=1e9)
    pool = open_pool(memory_bytes=40_000_000, picture=picture)
    large = saved(Pillow.new("RGB", (5_000, 5_000)), kind)
    reply, image = pool.decode(large, MediaType(f"image/{kind.lower()}"))
    assert (reply.refusal, image) == (refusal, None)
    assert all(_is_right(pool.decode(png, MediaType.PNG), photo) for _ in range(4))
    assert ends == ({"recycled": 1} if refusal == "too_much_memory" else {})


def test_too_many_at_once_are_told_that_it_is_busy(
    warm_pool: OpenPool, ends: Counter[str], find_busy: FindBusy, laborious: bytes
) -> None:
    pool = warm_pool()
    pool._wait_seconds = 0.1
    with ThreadPoolExecutor(9) as executor:
        working = [executor.submit(pool.decode, laborious, MediaType.JPEG) for _ in range(2)]
        busy = find_busy(pool.pids(), 2)
        others = executor.map(lambda _: pool.decode(laborious, MediaType.JPEG), range(7))
        assert [reply.refusal for reply, _ in others] == ["decoder_busy"] * 7
        assert ends == {}
        for pid in busy:
            os.kill(pid, SIGKILL)
        assert [each.result()[0].refusal for each in working] == ["decoder_crashed"] * 2


def test_a_worker_that_goes_on_after_a_stop_is_as_good_as_any(
    warm_pool: OpenPool, ends: Counter[str], png: bytes, photo: Pillow.Image
) -> None:
    pool = warm_pool()
    for signal in (SIGSTOP, SIGCONT):
        for pid in pool.pids():
            os.kill(pid, signal)
    assert all(_is_right(pool.decode(png, MediaType.PNG), photo) for _ in range(2))
    assert ends == {}
