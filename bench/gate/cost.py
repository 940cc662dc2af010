"""What the gate costs on an ordinary photo, beside Pillow alone, in alternating runs."""

from collections import deque
from collections.abc import Callable
from io import BytesIO
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image as Pillow

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
    """Medians of checks and isolated decode, of plain Pillow, and of the measures."""
    data = megapixel_jpeg()
    picture = gate.decode(data)
    assert isinstance(picture, Decoded)  # noqa: S101 - or the figures below mean nothing
    medians = _medians(
        {
            "gate_ms_p50": lambda: gate.decode(data),
            "pillow_ms_p50": lambda: _plain(data),
            "pillow_array_ms_p50": lambda: _plain_array(data),
        }
    )
    medians |= _medians({"measures_ms_p50": lambda: gate.measure(picture, len(data))})
    return {
        "jpeg_bytes": len(data),
        **medians,
        "overhead_ratio_p50": medians["gate_ms_p50"] / medians["pillow_ms_p50"],
        "overhead_ratio_to_array_p50": medians["gate_ms_p50"] / medians["pillow_array_ms_p50"],
    }


def _plain(data: bytes) -> Pillow.Image:
    with Pillow.open(BytesIO(data)) as picture:
        return picture.convert("RGB")


def _plain_array(data: bytes) -> object:
    """The least that anybody needs: no second copy of the picture, but an array of its own."""
    with Pillow.open(BytesIO(data)) as picture:
        return np.array(picture)


def _medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each way; every round begins with another one."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    names = deque(ways)
    for round_number in range(_WARM_UP + _ROUNDS):
        names.rotate()
        for name in names:
            start = perf_counter()
            ways[name]()
            if round_number >= _WARM_UP:
                times[name].append((perf_counter() - start) * 1000)
    return {name: median(durations) for name, durations in times.items()}
