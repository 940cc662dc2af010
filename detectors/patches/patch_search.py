"""Finds patches that recur in suspicious tiles of several pictures.

A pattern that is printed on many clothes lies in each picture at another size, a little turned and
under other light. Normalised cross-correlation over all three colours does not see the light
(Lewis, Fast Normalized Cross-Correlation, 1995); sizes and turns are tried one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from typing import NamedTuple

import cv2
import numpy as np

from detectors.parsing import Image
from detectors.patches.patch_views import Pixels, resize_square, turn_picture
from detectors.patches.patches import Patch, Tile

# Tiles are compared at about this side; a window of a tile is what may recur.
_TILE_SIDE = 64
_WINDOW_SIDES = (24, 32, 40)
_WINDOW_STEP = 4
# Kept windows of one size are so far apart, in shares of their side.
_APART = 0.3
_SCALES = (0.7, 0.84, 1.0, 1.2, 1.43)
# A window with less structure matches any fold of cloth.
_MIN_STRUCTURE = 5000.0
_WINDOWS_KEPT = 6
_THUMBNAIL = 16
_SAME_PICTURE = 0.95


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A patch that several tiles show.

    Attributes:
        patch: how one of them shows it.
        members: indices of the tiles that show it.
        correlation: mean of its best correlations with the other members, at most 1.
    """

    patch: Patch
    members: tuple[int, ...]
    correlation: float


class _Window(NamedTuple):
    """A square within a tile, in pixels."""

    top: int
    left: int
    side: int

    def is_apart(self, other: "_Window") -> bool:
        """Whether it shows something else: another size, or another place."""
        distance = max(abs(self.top - other.top), abs(self.left - other.left))
        return self.side != other.side or distance >= _APART * self.side


def recurring_patches(
    tiles: Sequence[Tile], min_correlation: float = 0.86, min_members: int = 3
) -> tuple[Recurrence, ...]:
    """Patches that tiles share, those of most tiles first; of equals the clearest.

    Many of them will be views of one print, and ordinary things recur too: a button, the edge of a
    sleeve. :mod:`detectors.patches.patch_choice` tells these apart.

    Args:
        tiles: one or more of each flagged picture.
        min_correlation: below it a tile does not show the patch.
        min_members: fewer tiles are a coincidence.

    Raises:
        PatchError: a tile is so small a part of its picture that a patch in it is none.
    """
    pictures = [_at_common_size(tile.pixels) for tile in tiles]
    compared = [picture.astype(np.float32) for picture in pictures]
    recurrences = [
        Recurrence(Patch(window, tiles[own].share * window.shape[0] / _TILE_SIDE), members, mean)
        for own, picture in enumerate(pictures)
        for window in _windows(picture)
        for members, mean in [_find_members(window, own, compared, min_correlation)]
        if len(members) >= min_members
    ]
    return tuple(sorted(recurrences, key=lambda each: (-len(each.members), -each.correlation)))


def different_pictures(pictures: Sequence[Image]) -> tuple[int, ...]:
    """Indices of the pictures that are not nearly the same as an earlier one.

    All that one picture shows recurs in its copies.
    """
    thumbnails: dict[int, Pixels] = {}
    for index, picture in enumerate(pictures):
        thumbnail = resize_square(picture, _THUMBNAIL).astype(np.float32)
        if all(_correlation(thumbnail, other) < _SAME_PICTURE for other in thumbnails.values()):
            thumbnails[index] = thumbnail
    return tuple(thumbnails)


def _at_common_size(tile: Image) -> Image:
    height, width = tile.shape[:2]
    scale = _TILE_SIDE / sqrt(height * width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(tile, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _windows(tile: Image) -> list[Image]:
    """The windows with most structure in both directions, best first, each somewhere else."""
    candidates = [(_structure(cut), place, cut) for place, cut in _all_windows(tile)]
    candidates.sort(key=lambda each: each[0], reverse=True)
    windows: dict[_Window, Image] = {}
    for structure, place, cut in candidates:
        if structure < _MIN_STRUCTURE or len(windows) == _WINDOWS_KEPT:
            break
        if all(place.is_apart(other) for other in windows):
            windows[place] = cut.copy()
    return list(windows.values())


def _structure(window: Image) -> float:
    """The smaller eigenvalue of the mean structure tensor: an edge alone has none.

    Shi & Tomasi, Good Features to Track, CVPR 1994, over a whole window.
    """
    grey = cv2.cvtColor(window, cv2.COLOR_RGB2GRAY)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    products = (across * across, across * down, down * down)
    first, mixed, second = (float(each.mean()) for each in products)
    return (first + second) / 2 - sqrt(((first - second) / 2) ** 2 + mixed**2)


def _all_windows(tile: Image) -> Iterator[tuple[_Window, Image]]:
    height, width = tile.shape[:2]
    for side in _WINDOW_SIDES:
        tops = range(0, height - side + 1, _WINDOW_STEP)
        lefts = range(0, width - side + 1, _WINDOW_STEP)
        for top, left in product(tops, lefts):
            yield _Window(top, left, side), tile[top : top + side, left : left + side]


def _find_members(
    window: Image, own: int, tiles: Sequence[Pixels], min_correlation: float
) -> tuple[tuple[int, ...], float]:
    """Which tiles show a window, its own one included, and how clearly the others do."""
    variants = _variants(window)
    best = {
        index: max(_correlation(variant, tile) for variant in variants)
        for index, tile in enumerate(tiles)
        if index != own
    }
    members = {index: value for index, value in best.items() if value >= min_correlation}
    mean = sum(members.values()) / len(members) if members else 0.0
    return tuple(sorted((own, *members))), mean


def _variants(window: Image) -> list[Pixels]:
    sides = [round(window.shape[0] * scale) for scale in _SCALES]
    return [
        resize_square(view, side).astype(np.float32)
        for view in turn_picture(window)
        for side in sides
    ]


def _correlation(patch: Pixels, tile: Pixels) -> float:
    if patch.shape[0] > tile.shape[0] or patch.shape[1] > tile.shape[1]:
        return -1.0
    return float(cv2.matchTemplate(tile, patch, cv2.TM_CCOEFF_NORMED).max())
