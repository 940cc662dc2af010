"""Augmentation: geometry, colour and the marks of cameras, all from one random generator."""

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.parsing import Image, LabelMap
from inference.segmenters.reference.data import Sample

Size = tuple[int, int]
Pair = tuple[Image, LabelMap]

_MOSAIC_SHARE = 0.15


def augmented(samples: Sequence[Sample], size: Size, random: np.random.Generator) -> list[Pair]:
    """A batch of ``size`` = (width, height); sometimes each picture holds two people in halves."""
    if random.random() >= _MOSAIC_SHARE:
        return [_one(sample, size, random) for sample in samples]
    half = (size[0] // 2, size[1] * 3 // 4 // 16 * 16)
    partners = random.permutation(len(samples))
    return [
        _beside(_one(sample, half, random), _one(samples[int(other)], half, random))
        for sample, other in zip(samples, partners, strict=True)
    ]


def _one(sample: Sample, size: Size, random: np.random.Generator) -> Pair:
    image, label_map = _warped(sample, size, random)
    return _developed(image, random), label_map


def _beside(left: Pair, right: Pair) -> Pair:
    return np.hstack([left[0], right[0]]), np.hstack([left[1], right[1]])


def _warped(sample: Sample, size: Size, random: np.random.Generator) -> Pair:
    """Scale, turn, shift and mirror, so that the person keeps to the picture."""
    height, width = sample.label_map.shape
    fit = min(size[0] / width, size[1] / height)
    small = random.random() < 0.35
    scale = fit * float(random.uniform(0.5, 0.9) if small else random.uniform(0.9, 1.35))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), random.normal(0, 5), scale)
    room = np.abs(np.asarray(size) - scale * np.array([width, height])) / 2 + 8
    matrix[:, 2] += np.asarray(size) / 2 - (width / 2, height / 2) + random.uniform(-room, room)
    if random.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size[0]
    image = cv2.warpAffine(
        sample.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    labels = cv2.warpAffine(sample.label_map, matrix, size, flags=cv2.INTER_NEAREST)
    return image.astype(np.uint8), labels.astype(np.uint8)


def _developed(image: Image, random: np.random.Generator) -> Image:
    """Exposure, contrast, colour cast, blur, noise, greyness and compression."""
    pixels = image.astype(np.float32)
    mean = pixels.mean()
    pixels = (pixels - mean) * random.uniform(0.7, 1.3) + mean * random.uniform(0.7, 1.3)
    pixels = pixels * random.uniform(0.9, 1.1, 3).astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * _saturation(random)
    if random.random() < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(random.uniform(0.4, 1.3)))
    if random.random() < 0.3:
        pixels = pixels + random.normal(0, random.uniform(1, 6), pixels.shape)
    result = np.clip(pixels, 0, 255).astype(np.uint8)
    if random.random() < 0.15:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 90))]
        result = cv2.imdecode(cv2.imencode(".jpg", result, quality)[1], cv2.IMREAD_COLOR)
    return np.asarray(result, dtype=np.uint8)


def _saturation(random: np.random.Generator) -> float:
    """Colour strength; one picture in twenty is grey."""
    return 0.0 if random.random() < 0.05 else float(random.uniform(0.5, 1.4))
