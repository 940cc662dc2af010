"""Augmentation of geometry: how a camera may frame one person."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inference.segmenters.reference.training.data import Pair, Sample, Size

_REDUCE_BELOW = 0.6
# A pixel of a halved picture lies in the middle of the four that it comes from.
_FROM_HALF = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])


def whole_body(sample: Sample, size: Size, random: np.random.Generator) -> Pair:
    """Scale, turn, shift and mirror, so that the person keeps to the picture."""
    height, width = sample.label_map.shape
    small = random.random() < 0.35
    fit = _fit(sample, size)
    scale = fit * float(random.uniform(0.5, 0.9) if small else random.uniform(0.9, 1.35))
    room = np.abs(np.asarray(size) - scale * np.array([width, height])) / 2 + 8
    shift = random.uniform(-room, room)
    return _frame(sample, size, scale, (width / 2, height / 2), shift, random)


def close_up(sample: Sample, size: Size, random: np.random.Generator) -> Pair:
    """A part of the body that fills the picture: heads and chests more often than legs."""
    rows, columns = np.nonzero(sample.label_map)
    if not rows.size:
        return whole_body(sample, size, random)
    top, tall = int(rows.min()), int(rows.max() - rows.min()) + 1
    low, high = (0.05, 0.35) if random.random() < 0.65 else (0.3, 0.95)
    focus = (float(np.median(columns)), top + tall * float(random.uniform(low, high)))
    scale = _fit(sample, size) * float(random.uniform(1.4, 3.0))
    shift = random.uniform(-0.2, 0.2, 2) * np.asarray(size)
    return _frame(sample, size, scale, focus, shift, random)


def _fit(sample: Sample, size: Size) -> float:
    height, width = sample.label_map.shape
    return float(min(size[0] / width, size[1] / height))


def _frame(
    sample: Sample,
    size: Size,
    scale: float,
    focus: tuple[float, float],
    shift: npt.NDArray[np.float64],
    random: np.random.Generator,
) -> Pair:
    """Bring ``focus`` near the middle at a scale, a little turned; half of them mirrored."""
    rotation = cv2.getRotationMatrix2D(focus, random.normal(0, 5), scale)
    matrix = np.asarray(rotation, dtype=np.float64)
    matrix[:, 2] += np.asarray(size) / 2 - focus + shift
    if random.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size[0]
    labels = cv2.warpAffine(sample.label_map, matrix, size, flags=cv2.INTER_NEAREST)
    image: npt.NDArray[Any] = sample.image
    if scale < _REDUCE_BELOW:  # warping alone would skip pixels
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix = matrix @ _FROM_HALF
    image = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return image.astype(np.uint8), labels.astype(np.uint8)
