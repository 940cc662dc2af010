"""Augmentation of geometry: how a camera may frame one person."""

import cv2
import numpy as np

from inference.segmenters.reference.data import Pair, Sample, Size

_REDUCE_BELOW = 0.6


def whole_body(sample: Sample, size: Size, random: np.random.Generator) -> Pair:
    """Scale, turn, shift and mirror, so that the person keeps to the picture."""
    height, width = sample.label_map.shape
    small = random.random() < 0.35
    fit = _fit(sample, size)
    scale = fit * float(random.uniform(0.5, 0.9) if small else random.uniform(0.9, 1.35))
    room = np.abs(np.asarray(size) - scale * np.array([width, height])) / 2 + 8
    shift = random.uniform(-room, room)
    return _framed(sample, size, scale, (width / 2, height / 2), shift, random)


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
    return _framed(sample, size, scale, focus, shift, random)


def _fit(sample: Sample, size: Size) -> float:
    height, width = sample.label_map.shape
    return min(size[0] / width, size[1] / height)


def _framed(
    sample: Sample,
    size: Size,
    scale: float,
    focus: tuple[float, float],
    shift: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    random: np.random.Generator,
) -> Pair:
    """Bring ``focus`` near the middle at a scale, a little turned; half of them mirrored."""
    image, labels, step = sample.image, sample.label_map, 1
    if scale < _REDUCE_BELOW:  # warping alone would skip pixels
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        labels, step = np.ascontiguousarray(labels[::2, ::2]), 2
    centre = (focus[0] / step, focus[1] / step)
    matrix = cv2.getRotationMatrix2D(centre, random.normal(0, 5), scale * step)
    matrix[:, 2] += np.asarray(size) / 2 - centre + shift
    if random.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size[0]
    image = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    labels = cv2.warpAffine(labels, matrix, size, flags=cv2.INTER_NEAREST)
    return image.astype(np.uint8), labels.astype(np.uint8)
