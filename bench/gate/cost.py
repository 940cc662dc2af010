"""What the gate costs on an ordinary photo, beside Pillow alone, in alternating runs."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter, process_time_ns

import numpy as np
from PIL import Image as Pillow

from bench.gate.processes import workers_of
from bench.report import Figures
from inference.figures import draw_figure
from inference.gate.screen import Decoded, Gate

_SIZE = (1_155, 866)
_QUALITY = 90
_GRAIN = 6
_WARM_UP, _ROUNDS = 6, 201


def megapixel_jpeg(times: int = 1) -> bytes:
    """A drawn scene of one million pixels, or so many on each side, with the grain of a photo."""
    width, height = (side * times for side in _SIZE)
    figure = Pillow.fromarray(draw_figure(1).image).resize((width, height))
    grain = np.random.default_rng(0).normal(0, _GRAIN, (height, width, 3))
    picture = np.clip(np.asarray(figure) + grain, 0, 255).astype(np.uint8)
    buffer = BytesIO()
    Pillow.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def measure_cost(gate: Gate) -> Figures:
    """Medians of checks and isolated decode, of plain Pillow, and of the measures.

    Of each the time by the clock, and the processor time that this process and its workers spent:
    that counts both sides of the gate, and says the same on a busy machine.
    """
    data = megapixel_jpeg()
    picture = gate.decode(data)
    assert isinstance(picture, Decoded)  # noqa: S101 - or the figures below mean nothing
    medians = _medians(
        {
            "gate": lambda: gate.decode(data),
            "pillow": lambda: _plain(data),
            "pillow_array": lambda: _plain_array(data),
        }
    )
    medians |= _medians({"measures": lambda: gate.measure(picture, len(data))})
    return {
        "jpeg_bytes": len(data),
        **medians,
        **_ratios(medians, "ms"),
        **_ratios(medians, "cpu_ms"),
    }


def _ratios(medians: dict[str, float], unit: str) -> dict[str, float]:
    gate, name = medians[f"gate_{unit}_p50"], "overhead" if unit == "ms" else "overhead_cpu"
    return {
        f"{name}_ratio_p50": gate / medians[f"pillow_{unit}_p50"],
        f"{name}_ratio_to_array_p50": gate / medians[f"pillow_array_{unit}_p50"],
    }


def _plain(data: bytes) -> Pillow.Image:
    with Pillow.open(BytesIO(data)) as picture:
        return picture.convert("RGB")


def _plain_array(data: bytes) -> object:
    """The least that anybody needs: no second copy of the picture, but an array of its own."""
    with Pillow.open(BytesIO(data)) as picture:
        return np.array(picture)


def _medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each way, by the clock and of processors; each round begins with another."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    names = deque(ways)
    for round_number in range(_WARM_UP + _ROUNDS):
        names.rotate()
        for name in names:
            milliseconds = _milliseconds(ways[name])
            if round_number >= _WARM_UP:
                times[name].append(milliseconds)
    return {
        f"{name}_{unit}_p50": median(each)
        for name, pairs in times.items()
        for unit, each in zip(("ms", "cpu_ms"), zip(*pairs, strict=True), strict=True)
    }


def _milliseconds(way: Callable[[], object]) -> tuple[float, float]:
    workers = workers_of(os.getpid())
    workers_before, own_before = _nanoseconds(workers), process_time_ns()
    start = perf_counter()
    way()
    elapsed = (perf_counter() - start) * 1000
    own = process_time_ns() - own_before
    return elapsed, (own + _nanoseconds(workers) - workers_before) / 1e6


def _nanoseconds(workers: Iterable[int]) -> int:
    """Processor time of workers; they have one thread. One that is gone counts as nothing."""
    spent = 0
    for pid in workers:
        with suppress(FileNotFoundError, ProcessLookupError):
            spent += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    return spent
