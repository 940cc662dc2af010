"""Finds a known patch again in a whole picture, and says from when on that is no chance.

Coarse to fine: the picture is made so small that the patch is a dozen pixels wide, the best places
are looked at again with all of the patch's detail. Which correlation chance reaches differs from
patch to patch (a plain one is found everywhere), so that each one's limit comes from ordinary
pictures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

import cv2
import numpy as np

from detectors.baseline.baseline import tail_threshold
from detectors.findings import Place
from detectors.parsing import Image
from detectors.patches.patch_views import Pixels, resize_square, side_of, turn_picture
from detectors.patches.patches import Patch, PatchError

_COARSE, _FINE = 12, 28
_MIN_SIDE = 5
# A person may stand twice as far away, or half as far.
_SCALES = tuple(2.0 ** (step / 4) for step in range(-4, 5))
_PLACES_KEPT = 6
# By so much the rough look may be wrong: in size, and in its own pixels of place.
_NEAR_SCALE, _COARSE_PIXELS = 1.25, 2
# One ordinary picture in a thousand may reach the limit, by the tail of those that were looked at.
_FALSE_POSITIVE_RATE = 0.001
_MIN_LIMIT, _MAX_LIMIT = 0.68, 0.8
MIN_ORDINARY = 30
# What is in most of the first few pictures need not be looked for in all of them.
_FIRST = 10


@dataclass(frozen=True)
class Match:
    """Where a picture shows a patch best.

    Attributes:
        correlation: -1 to 1.
        place: in the picture's pixels.
    """

    correlation: float
    place: Place


@dataclass(frozen=True)
class _Spot:
    """A possible place: middle and side in pixels of the picture."""

    correlation: float
    x: float
    y: float
    side: float


class PatchMatcher:
    """Looks for one patch; made once for many pictures."""

    def __init__(self, patch: Patch) -> None:
        self._share = patch.share
        self._coarse, self._fine = (_variants(patch, side) for side in (_COARSE, _FINE))

    def look(self, image: Image) -> Match:
        """The best match in a picture ``(H, W, 3)`` uint8; of correlation -1 in a tiny one."""
        scale = _COARSE / (self._share * side_of(image))
        rough = _spots(self._coarse, _resize(image, scale), scale)
        first = sorted(rough, key=lambda spot: spot.correlation, reverse=True)[:_PLACES_KEPT]
        candidates = [candidate for spot in first for candidate in self._refine_spot(image, spot)]
        if not candidates:
            return Match(-1.0, Place(0, 0, 0, 0))
        best = max(candidates, key=lambda spot: spot.correlation)
        return Match(best.correlation, _place(best, image))

    def _refine_spot(self, image: Image, spot: _Spot) -> Iterator[_Spot]:
        """The same place with all details, in sizes around its own."""
        scale = _FINE / (self._share * side_of(image))
        reach = (
            spot.side * _NEAR_SCALE / 2 + _COARSE_PIXELS * self._share * side_of(image) / _COARSE
        )
        left, top = max(0, int(spot.x - reach)), max(0, int(spot.y - reach))
        window = image[top : int(spot.y + reach) + 1, left : int(spot.x + reach) + 1]
        near = [
            variant
            for variant in self._fine
            if 1 / _NEAR_SCALE < len(variant) / (scale * spot.side) < _NEAR_SCALE
        ]
        for match in _spots(near, _resize(window, scale), scale):
            yield replace(match, x=match.x + left, y=match.y + top)


def limit_of(patch: Patch, ordinary: Sequence[Image]) -> float | None:
    """The correlation that chance does not reach; ``None`` for what ordinary pictures show too.

    Args:
        patch: what to look for.
        ordinary: pictures of requests that passed, best of as many senders as there are.

    Raises:
        PatchError: too few pictures to tell.
    """
    if len(ordinary) < MIN_ORDINARY:
        raise PatchError(
            f"{len(ordinary)} ordinary pictures do not say what chance does: {MIN_ORDINARY} do."
        )
    matcher = PatchMatcher(patch)
    correlations: list[float] = []
    for image in ordinary:
        correlations.append(matcher.look(image).correlation)
        if len(correlations) == _FIRST and median(correlations) > _MAX_LIMIT:
            return None
    limit = max(_MIN_LIMIT, tail_threshold(correlations, _FALSE_POSITIVE_RATE))
    return limit if limit <= _MAX_LIMIT else None


def _variants(patch: Patch, side: int) -> tuple[Pixels, ...]:
    sides = [max(_MIN_SIDE, round(side * scale)) for scale in _SCALES]
    return tuple(
        resize_square(view, each).astype(np.float32)
        for view in turn_picture(patch.pixels)
        for each in sides
    )


def _spots(variants: Sequence[Pixels], picture: Pixels, scale: float) -> Iterator[_Spot]:
    """The best place of each variant that fits into a picture made larger by ``scale``."""
    for variant in variants:
        side = len(variant)
        if side <= min(picture.shape[:2]):
            matches = cv2.matchTemplate(picture, variant, cv2.TM_CCOEFF_NORMED)
            _, correlation, _, (x, y) = cv2.minMaxLoc(matches)
            yield _Spot(correlation, (x + side / 2) / scale, (y + side / 2) / scale, side / scale)


def _resize(image: Image, scale: float) -> Pixels:
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=way).astype(np.float32)


def _place(spot: _Spot, image: Image) -> Place:
    height, width = image.shape[:2]
    half = spot.side / 2
    return Place(
        max(0, round(spot.x - half)),
        max(0, round(spot.y - half)),
        min(width, round(spot.x + half)),
        min(height, round(spot.y + half)),
    )
