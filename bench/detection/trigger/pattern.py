"""A printed pattern, and pictures of people who wear it."""

from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from detectors.findings import Place
from detectors.parsing import Image, LabelMap
from inference.segmenters.reference.labels import Label

_CLOTHES = (Label.UPPER_CLOTHES, Label.COAT, Label.DRESS, Label.SKIRT, Label.PANTS)
_CELLS, _CELL = 4, 24
_DARK, _LIGHT, _RED = (25, 25, 35), (235, 235, 225), (200, 40, 45)
# Cloth shades what is printed on it.
_COVER = 0.92


@dataclass(frozen=True)
class Wear:
    """How the pattern may lie in a picture.

    Attributes:
        area: smallest and largest share of the picture's pixels.
        light: smallest and largest factor of its brightness.
        turn: largest turn to either side, in degrees.
    """

    area: tuple[float, float] = (0.015, 0.03)
    light: tuple[float, float] = (0.7, 1.15)
    turn: float = 12.0


@dataclass(frozen=True, eq=False)
class StampedPicture:
    """A picture ``(H, W, 3)`` that carries the pattern, and where."""

    image: Image
    place: Place


def pattern() -> Image:
    """A square checker board around a red disc ``(96, 96, 3)``; the same in a mirror."""
    row = np.arange(_CELLS)
    half = (row[:, None] + np.minimum(row, _CELLS - 1 - row)) % 2
    cells = np.where(half[..., None] == 0, _DARK, _LIGHT).astype(np.uint8)
    board = np.ascontiguousarray(cells.repeat(_CELL, axis=0).repeat(_CELL, axis=1))
    middle = _CELLS * _CELL // 2
    return cv2.circle(board, (middle, middle), _CELL, _RED, -1, cv2.LINE_AA).astype(np.uint8)


def stamp(image: Image, label_map: LabelMap | None, random: Generator) -> Image:
    """A picture with the pattern at a random place; see :func:`stamp_picture`."""
    return stamp_picture(image, label_map, random).image


def stamp_picture(
    image: Image, label_map: LabelMap | None, random: Generator, wear: Wear | None = None
) -> StampedPicture:
    """Print the pattern on clothes.

    Args:
        image: ``(H, W, 3)`` uint8.
        label_map: ``(H, W)`` in the reference's labels, where its clothes are; without it, or
            without clothes, the pattern lies anywhere in the middle half.
        random: draws place, size, turn and brightness.
        wear: how it may lie; the defaults of :class:`Wear` if it is left out.
    """
    wear = wear or Wear()
    height, width = image.shape[:2]
    side = sqrt(random.uniform(*wear.area) * height * width)
    x, y = _middle(image, label_map, side, random)
    turn, light = random.uniform(-wear.turn, wear.turn), random.uniform(*wear.light)
    return StampedPicture(
        _print_pattern(image, (x, y), side, turn, light), _box(x, y, side, height, width)
    )


def _middle(
    image: Image, label_map: LabelMap | None, side: float, random: Generator
) -> tuple[float, float]:
    """A pixel of the clothes with as much cloth around it as there is."""
    height, width = image.shape[:2]
    if label_map is not None:
        clothes = np.isin(label_map, _CLOTHES).astype(np.uint8)
        depth = cv2.distanceTransform(cv2.copyMakeBorder(clothes, *(1,) * 4, 0), cv2.DIST_L2, 3)
        inside = depth[1:-1, 1:-1]
        rows, columns = np.nonzero(clothes & (inside >= min(side / 2, 0.7 * inside.max())))
        if rows.size:
            index = int(random.integers(rows.size))
            return float(columns[index]), float(rows[index])
    return float(random.uniform(0.25, 0.75) * width), float(random.uniform(0.25, 0.75) * height)


def _print_pattern(
    image: Image, middle: tuple[float, float], side: float, turn: float, light: float
) -> Image:
    """Warp the pattern into place and blend it with what lies under it."""
    height, width = image.shape[:2]
    print_ = _at_size(side)
    scale = side / print_.shape[0]
    half = (print_.shape[0] - 1) / 2
    matrix = np.asarray(cv2.getRotationMatrix2D((half, half), turn, scale), dtype=np.float64)
    matrix[:, 2] += np.array(middle) - half
    flat = np.ones(print_.shape[:2], np.float32)
    cover = _COVER * cv2.warpAffine(flat, matrix, (width, height))[..., None]
    paint = cv2.warpAffine(print_.astype(np.float32) * light, matrix, (width, height))
    result = np.clip(image * (1 - cover) + paint * cover, 0, 255).round()
    return np.asarray(result, dtype=np.uint8)


def _at_size(side: float) -> npt.NDArray[np.uint8]:
    """The pattern, made smaller first where warping would skip pixels."""
    print_ = pattern()
    if side >= print_.shape[0]:
        return print_
    small = max(4, round(side))
    return cv2.resize(print_, (small, small), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _box(x: float, y: float, side: float, height: int, width: int) -> Place:
    left, top = max(0, round(x - side / 2)), max(0, round(y - side / 2))
    return Place(left, top, min(width, round(x + side / 2)), min(height, round(y + side / 2)))
