"""Finds a patch that recurs in suspicious tiles of several pictures, and finds it again later.

A pattern that is printed on many clothes lies in each picture at another size, a little turned and
under other light. Normalised cross-correlation over all three colours does not see the light;
sizes and turns are tried one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

import cv2
import numpy as np

from detectors.parsing import Image
from detectors.patch_signature import Signature

# Tiles are compared at about this side; a window of a tile is what may recur.
_TILE_SIDE = 64
_WINDOW_SIDES = (32, 40)
_WINDOW_STEP = 4
_SCALES = (0.7, 0.84, 1.0, 1.2, 1.43)
_TURNS = (-14.0, -7.0, 0.0, 7.0, 14.0)
# A window with less structure matches any fold of cloth.
_LEAST_STRUCTURE = 5000.0
_WINDOWS_KEPT = 6


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A patch that several tiles show.

    Attributes:
        patch: how one of them shows it, ``(h, w, 3)`` uint8.
        members: indices of the tiles that show it.
        correlation: mean of its best correlations with the members, at most 1.
        signature: what a list of blocked patches can hold.
    """

    patch: Image
    members: tuple[int, ...]
    correlation: float
    signature: Signature


def recurring_patch(
    tiles: Sequence[Image], least_correlation: float = 0.86, least_members: int = 3
) -> Recurrence | None:
    """The patch that most tiles share; of equals the one that correlates best.

    Args:
        tiles: RGB ``(h, w, 3)`` uint8, one or more of each flagged picture, the clearest first.
        least_correlation: below it a tile does not show the patch.
        least_members: fewer tiles are a coincidence.
    """
    sized = [_sized(tile) for tile in tiles]
    found = [
        each
        for index, tile in enumerate(sized)
        for window in _windows(tile)
        if (each := _shown_by(window, index, sized, least_correlation)) is not None
    ]
    found = [each for each in found if len(each.members) >= least_members]
    return max(found, key=lambda each: (len(each.members), each.correlation), default=None)


def best_correlation(patch: Image, tile: Image) -> float:
    """The highest correlation of a patch with any place of a tile, over sizes and turns: -1 to 1.

    Args:
        patch: ``(h, w, 3)`` uint8, smaller than the tile.
        tile: ``(H, W, 3)`` uint8.
    """
    return max((_correlation(each, tile) for each in _variants(patch)), default=-1.0)


def nearest_distance(signature: Signature, tile: Image) -> float:
    """The smallest distance of a signature to any window of a tile, over sizes and turns."""
    sized = _sized(tile)
    signatures = (Signature.of(each) for window in _all_windows(sized) for each in _turned(window))
    return min((signature.distance(each) for each in signatures), default=1.0)


def _sized(tile: Image) -> Image:
    height, width = tile.shape[:2]
    scale = _TILE_SIDE / sqrt(height * width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(tile, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _windows(tile: Image) -> list[Image]:
    """The windows with most structure in both directions, best first."""
    rated = [(_structure(window), window) for window in _all_windows(tile)]
    rated.sort(key=lambda each: each[0], reverse=True)
    return [window for value, window in rated[:_WINDOWS_KEPT] if value >= _LEAST_STRUCTURE]


def _structure(window: Image) -> float:
    """The smaller eigenvalue of the mean structure tensor: an edge alone has none.

    Shi & Tomasi, Good Features to Track, CVPR 1994, over a whole window.
    """
    grey = cv2.cvtColor(window, cv2.COLOR_RGB2GRAY)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    products = (across * across, across * down, down * down)
    first, mixed, second = (float(each.mean()) for each in products)
    return (first + second) / 2 - sqrt(((first - second) / 2) ** 2 + mixed**2)


def _all_windows(tile: Image) -> Iterator[Image]:
    height, width = tile.shape[:2]
    for side in _WINDOW_SIDES:
        tops = range(0, height - side + 1, _WINDOW_STEP)
        lefts = range(0, width - side + 1, _WINDOW_STEP)
        for top, left in product(tops, lefts):
            yield tile[top : top + side, left : left + side]


def _shown_by(
    window: Image, own: int, tiles: Sequence[Image], least_correlation: float
) -> Recurrence | None:
    correlations = {
        index: best_correlation(window, tile) for index, tile in enumerate(tiles) if index != own
    }
    members = {i: value for i, value in correlations.items() if value >= least_correlation}
    if not members:
        return None
    shown = tuple(sorted((own, *members)))
    mean = sum(members.values()) / len(members)
    return Recurrence(window.copy(), shown, mean, Signature.of(window))


def _correlation(patch: Image, tile: Image) -> float:
    if patch.shape[0] > tile.shape[0] or patch.shape[1] > tile.shape[1]:
        return -1.0
    return float(cv2.matchTemplate(tile, patch, cv2.TM_CCOEFF_NORMED).max())


def _variants(patch: Image) -> Iterator[Image]:
    for turned in _turned(patch):
        for scale in _SCALES:
            size = max(1, round(patch.shape[1] * scale)), max(1, round(patch.shape[0] * scale))
            yield cv2.resize(turned, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _turned(patch: Image) -> Iterator[Image]:
    height, width = patch.shape[:2]
    for degrees in _TURNS:
        matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
        yield cv2.warpAffine(
            patch, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
        ).astype(np.uint8)
