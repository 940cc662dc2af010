"""Augmentation with several people: cut out by their labels and pasted side by side.

Copy-paste after Ghiasi et al. (CVPR 2021): nearer people hide parts of farther ones, and a group
that stands close is cut off by the lower edge.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.parsing import Image, LabelMap
from inference.figures import draw_figure
from inference.segmenters.reference.training.camera import relight
from inference.segmenters.reference.training.data import Pair, Sample, Size
from inference.segmenters.reference.training.framing import whole_body

_DRAWN_PLACES = 1_000_000_000
_MIN_STRIP = 0.15


def empty_place(sample: Sample, size: Size, random: np.random.Generator) -> Pair:
    """A picture without people: the free side of a photo, stretched, or a drawn place."""
    strip = _free_strip(sample)
    if strip is None or random.random() < 0.15:
        image = draw_figure(_DRAWN_PLACES + int(random.integers(1_000_000)), size, 0).image
    else:
        image = _part(strip, random)
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if random.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
    return relight(image, random), np.zeros(image.shape[:2], dtype=np.uint8)


def crowd(people: Sequence[Sample], size: Size, random: np.random.Generator) -> Pair:
    """The people side by side on a place, whole or, when they stand close, cut off below."""
    image, labels = empty_place(people[0], size, random)
    height = size[1]
    close = random.random() < 0.4
    tallest = height * float(random.uniform(1.1, 2.2) if close else random.uniform(0.45, 1.0))
    heights = np.sort(tallest * random.uniform(0.7, 1.0, len(people)))
    spots = random.permutation((np.arange(len(people)) + 0.5) / len(people)) * size[0]
    for person, tall, spot in zip(people, heights, spots, strict=True):
        x = spot + random.normal(0, 0.08) * size[0]
        lowest = height * random.uniform(0.9, 1.0) - tall
        top = height * random.uniform(-0.05, 0.3) if close else lowest
        _paste((image, labels), person, tall, (x, top), random)
    return image, labels


def join_people(
    sample: Sample, others: Sequence[Sample], size: Size, random: np.random.Generator
) -> Pair:
    """A photo as it is, with others pasted in at its own scale or smaller."""
    image, labels = whole_body(sample, size, random)
    for other in others:
        tall = max(0.35 * size[1], _tall(labels) * float(random.uniform(0.55, 1.1)))
        top = size[1] * random.uniform(0.85, 1.02) - tall
        _paste((image, labels), other, tall, (random.uniform(0, size[0]), top), random)
    return image, labels


def _tall(labels: LabelMap) -> int:
    rows = np.flatnonzero(labels.any(axis=1))
    return int(rows[-1] - rows[0]) + 1 if rows.size else 0


def _paste(
    onto: Pair,
    sample: Sample,
    tall: float,
    place: tuple[float, float],
    random: np.random.Generator,
) -> None:
    """Draw the person ``tall`` pixels high with the middle of the crown at ``place``."""
    image, labels = _cut_out(sample, tall, random)
    alpha = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), random.uniform(0.4, 1.0))
    left, top = round(place[0] - labels.shape[1] / 2), round(place[1])
    rows = slice(max(0, top), min(onto[1].shape[0], top + labels.shape[0]))
    columns = slice(max(0, left), min(onto[1].shape[1], left + labels.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    there = np.s_[rows, columns]
    here = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    share = alpha[here][..., None]
    onto[0][there] = onto[0][there] * (1 - share) + image[here] * share
    onto[1][there] = np.where(labels[here] > 0, labels[here], onto[1][there])


def _cut_out(sample: Sample, tall: float, random: np.random.Generator) -> Pair:
    """The person's own box at a height, in its own light; half of them mirrored."""
    rows = np.flatnonzero(sample.label_map.any(axis=1))
    columns = np.flatnonzero(sample.label_map.any(axis=0))
    if not rows.size:
        return np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8)
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    labels, image = sample.label_map[box], sample.image[box]
    scale = tall / labels.shape[0]
    size = (max(1, round(labels.shape[1] * scale)), max(1, round(tall)))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(image, size, interpolation=smooth).astype(np.uint8)
    labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8)
    step = -1 if random.random() < 0.5 else 1
    return relight(np.ascontiguousarray(image[:, ::step]), random), labels[:, ::step]


def _free_strip(sample: Sample) -> Image | None:
    """The widest part of the photo beside the person, if it is wide enough to be one."""
    columns = np.flatnonzero(sample.label_map.any(axis=0))
    width = sample.label_map.shape[1]
    if not columns.size:
        return sample.image
    left, right = sample.image[:, : columns[0]], sample.image[:, columns[-1] + 1 :]
    widest = max(left, right, key=lambda part: part.shape[1])
    return widest if widest.shape[1] >= _MIN_STRIP * width else None


def _part(image: Image, random: np.random.Generator) -> Image:
    """A random piece, between half and all of each side; at times out of focus."""
    height, width = image.shape[:2]
    rows, columns = (max(8, round(n * random.uniform(0.5, 1))) for n in (height, width))
    top = int(random.integers(max(1, height - rows + 1)))
    left = int(random.integers(max(1, width - columns + 1)))
    piece = np.ascontiguousarray(image[top : top + rows, left : left + columns])
    if random.random() < 0.3:
        piece = cv2.GaussianBlur(piece, (0, 0), random.uniform(0.6, 3.0)).astype(np.uint8)
    return piece
