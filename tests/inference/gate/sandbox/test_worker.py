"""The worker's own side, called directly: what it makes of an order."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf

import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import MediaType
from inference.gate.sandbox.arena import Arena
from inference.gate.sandbox.memory import PeakMemory
from inference.gate.sandbox.process import WorkerLimits, WorkerProcess
from inference.gate.sandbox.wire import Order, Reply
from inference.gate.sandbox.worker import Setup, Worker, small_pictures, warm_up


@pytest.fixture(scope="module")
def arena(worker_limits: Callable[..., WorkerLimits]) -> Iterator[Arena]:
    limits = worker_limits()
    made = Arena.make(limits.max_upload_bytes, limits.picture.max_pixels)
    yield made
    made.close()


@pytest.fixture
def hire(arena: Arena, worker_limits: Callable[..., WorkerLimits]) -> Callable[..., Worker]:
    def build(max_cpu_seconds: float = inf, **limits: int) -> Worker:
        """A worker in this process, which has the time of all tests before it behind it."""
        setup = replace(worker_limits(**limits).setup(3, 4), max_cpu_seconds=max_cpu_seconds)
        return Worker(setup, arena, PeakMemory())

    return build


@pytest.fixture
def order(arena: Arena) -> Callable[[bytes, MediaType], Order]:
    def lay_down(data: bytes, media_type: MediaType) -> Order:
        arena.put_upload(data)
        return Order(5, len(data), media_type)

    return lay_down


def _laid_down(arena: Arena, reply: Reply) -> Image:
    with arena.pixels(reply.width * reply.height * reply.depth) as pixels:
        laid = np.frombuffer(bytes(pixels), np.uint8)
    return laid.reshape(reply.height, reply.width, reply.depth)[..., :3]


def test_a_setup_comes_out_as_it_went_in(worker_limits: Callable[..., WorkerLimits]) -> None:
    setup = worker_limits().setup(3, 4)
    assert Setup.from_json(setup.to_json()) == setup


@pytest.mark.parametrize("size", [(8, 8), (1_000, 999), (8, 160), (2_001, 1_999)])
def test_pixels_of_any_size_lie_in_the_arena_as_they_were(
    hire: Callable[..., Worker],
    order: Callable[[bytes, MediaType], Order],
    arena: Arena,
    saved: Callable[..., bytes],
    size: tuple[int, int],
) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (size[1] // 4 + 1, 3), dtype=np.uint8)
    picture = Pillow.fromarray(pixels[:, None]).resize(size, Pillow.Resampling.NEAREST)
    reply = hire().obey(order(saved(picture, "PNG"), MediaType.PNG))
    assert (reply.number, reply.refusal, reply.width, reply.height) == (5, "", *size)
    assert np.array_equal(_laid_down(arena, reply), np.asarray(picture))
    assert reply.decode_ms > 0
    assert Reply.from_bytes(reply.to_bytes()) == reply


@pytest.mark.parametrize(("size", "depth"), [((2_048, 2_048), 4), ((2_050, 2_048), 3)], ids=str)
def test_a_picture_is_packed_only_where_it_lies_in_several_pieces(
    worker_limits: Callable[..., WorkerLimits],
    saved: Callable[..., bytes],
    size: tuple[int, int],
    depth: int,
) -> None:
    large = PictureLimits(max_pixels=size[0] * size[1])
    limits = worker_limits(max_upload_bytes=20_000_000, picture=large)
    arena = Arena.make(limits.max_upload_bytes, large.max_pixels)
    chance = np.random.default_rng(6).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    data = saved(Pillow.fromarray(chance), "PNG", compress_level=0)
    arena.put_upload(data)
    order = Order(1, len(data), MediaType.PNG)
    reply = Worker(limits.setup(3, 4), arena, PeakMemory()).obey(order)
    assert (reply.refusal, reply.depth) == ("", depth)
    assert np.array_equal(_laid_down(arena, reply), chance)
    arena.close()


def test_a_refusal_is_a_reply_without_a_picture(
    hire: Callable[..., Worker], order: Callable[[bytes, MediaType], Order], png: bytes
) -> None:
    reply = hire().obey(order(png[:500], MediaType.PNG))
    assert (reply.number, reply.refusal, reply.tired) == (5, "truncated", False)
    assert (reply.width, reply.height) == (0, 0)


def test_signs_come_with_their_numbers(
    hire: Callable[..., Worker], order: Callable[[bytes, MediaType], Order], png: bytes
) -> None:
    reply = hire().obey(order(png + b"more", MediaType.PNG))
    assert reply.signs == {"trailing_note": {"bytes": 4.0}}


def test_it_is_tired_after_its_last_order(
    hire: Callable[..., Worker], order: Callable[[bytes, MediaType], Order], png: bytes
) -> None:
    worker = hire(max_orders=3)
    assert [worker.obey(order(png, MediaType.PNG)).tired for _ in range(3)] == [False, False, True]


def test_it_is_tired_after_much_processor_time(
    hire: Callable[..., Worker],
    order: Callable[[bytes, MediaType], Order],
    png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = hire(max_cpu_seconds=40.0)
    monkeypatch.setattr("inference.gate.sandbox.worker.process_time", lambda: 40.0)
    assert not worker.obey(order(png, MediaType.PNG)).tired
    monkeypatch.setattr("inference.gate.sandbox.worker.process_time", lambda: 40.1)
    assert worker.obey(order(png, MediaType.PNG)).tired


def test_warming_up_knows_no_limits_but_its_own() -> None:
    warm_up(small_pictures())


@pytest.mark.parametrize(
    "picture",
    [PictureLimits(min_side=32, max_pixels=10_000), PictureLimits(1_000, max_profile_bytes=100)],
)
def test_a_worker_starts_under_any_limits(
    worker_limits: Callable[..., WorkerLimits], picture: PictureLimits
) -> None:
    worker = WorkerProcess(worker_limits(picture=picture))
    try:
        assert worker.ready().limits
    finally:
        worker.end()
