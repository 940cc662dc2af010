"""Augmentation: which kind of picture each sample becomes, all from one random generator."""

from collections.abc import Sequence

import numpy as np

from inference.segmenters.reference.training.camera import develop
from inference.segmenters.reference.training.crowd import crowd, empty_place, join_people
from inference.segmenters.reference.training.data import Pair, Sample, Size
from inference.segmenters.reference.training.framing import close_up, whole_body

_MOSAIC_SHARE = 0.15
_LANDSCAPE_SHARE = 0.2
# Shares of whole bodies, close-ups, photos with others pasted in, crowds; the rest is empty.
_UPRIGHT = (0.64, 0.14, 0.12, 0.08)
_LANDSCAPE = (0.1, 0.25, 0.1, 0.51)


def augment_batch(samples: Sequence[Sample], size: Size, random: np.random.Generator) -> list[Pair]:
    """A batch of ``size`` = (width, height); sometimes each picture holds two people in halves."""
    if random.random() >= _MOSAIC_SHARE:
        return [_one(sample, size, random) for sample in samples]
    half = (size[0] // 2, size[1] * 3 // 4 // 16 * 16)
    partners = random.permutation(len(samples))
    return [
        _beside(_one(sample, half, random), _one(samples[int(other)], half, random))
        for sample, other in zip(samples, partners, strict=True)
    ]


def mix_batch(samples: Sequence[Sample], size: Size, random: np.random.Generator) -> list[Pair]:
    """A batch of about half whole bodies; one batch in four lies on its side."""
    landscape = bool(random.random() < _LANDSCAPE_SHARE)
    shares = _LANDSCAPE if landscape else _UPRIGHT
    shape = (max(size), min(size)) if landscape else size
    pairs = [_mix(samples, index, shape, shares, random) for index in range(len(samples))]
    return [(develop(image, random), labels) for image, labels in pairs]


def _mix(
    samples: Sequence[Sample],
    index: int,
    size: Size,
    shares: tuple[float, ...],
    random: np.random.Generator,
) -> Pair:
    sample = samples[index]
    others = [samples[int(i)] for i in random.integers(len(samples), size=3)]
    kind = int(np.searchsorted(np.cumsum(shares), random.random(), side="right"))
    if kind == 0:
        return whole_body(sample, size, random)
    if kind == 1:
        return close_up(sample, size, random)
    if kind == 2:
        return join_people(sample, others[: int(random.integers(1, 3))], size, random)
    if kind == 3:
        return crowd([sample, *others[: int(random.integers(1, 4))]], size, random)
    return empty_place(sample, size, random)


def _one(sample: Sample, size: Size, random: np.random.Generator) -> Pair:
    image, label_map = whole_body(sample, size, random)
    return develop(image, random), label_map


def _beside(left: Pair, right: Pair) -> Pair:
    return np.hstack([left[0], right[0]]), np.hstack([left[1], right[1]])
