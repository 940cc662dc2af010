"""Looks for a tile that hides something: strips first, then tiles of the strip that stood out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from statistics import median
from typing import Any

from array_api_compat import array_namespace
from numpy.random import Generator

from detectors.looks.tiles import cut, hide_tile, other_places, put, strips
from detectors.looks.triggers import (
    Suspect,
    TileReturn,
    find_best_return,
    foreground_of,
    free_places,
    measure_vanishing,
    suspect_of,
)
from detectors.parsing import Image, Parsing
from detectors.resample import resample
from inference.segmenters.base import Segmenter

# Places that are drawn for a tile; those that cover little of what came back are tried.
_CANDIDATES = 24


@dataclass(frozen=True)
class TileRecipe:
    """How a tile is searched for.

    Attributes:
        scale: linear size of the looks, over the size of the parse; much smaller ones do not see
            every trigger.
        strips: strips across the longer side of the picture.
        tiles: tiles along the strip of which most comes back.
        places: other places at which the suspicious tile is tried.
        min_return: a search in which no strip brings back this share of a part ends there.
        max_score: a tile with a higher score is suspected.
    """

    scale: float = 0.75
    strips: int = 7
    tiles: int = 5
    places: int = 3
    min_return: float = 0.15
    max_score: float = 0.07

    @property
    def passes(self) -> int:
        """Forward passes of one search, at most: the picture itself, then the hidden tiles and the
        moved one. The second search of a suspicious picture is seldom, and not among them.
        """
        return 1 + self.strips + self.tiles + self.places

    @property
    def cost(self) -> float:
        """What they cost at most, in passes of full size."""
        return self.scale**2 * self.passes


@dataclass(frozen=True)
class TileSearch:
    """A search with one segmenter by one recipe."""

    segmenter: Segmenter
    recipe: TileRecipe

    def look(self, image: Image, parsing: Parsing, random: Generator) -> Suspect:
        """The tile that is most like a trigger: one call of the segmenter, or three.

        What is suspected is searched for a second time, with other borders and places, and the
        lesser of both scores counts: chance seldom comes twice.

        Args:
            image: the picture ``(H, W, 3)`` uint8, best at about the size of the looks.
            parsing: what the same segmenter made of it.
            random: draws where the borders of the tiles lie and where a tile is put.
        """
        first = self._search(image, parsing, random)
        if first.score <= self.recipe.max_score:
            return first
        second = self._search(image, parsing, random)
        lesser = min(first, second, key=lambda suspect: suspect.score)
        return replace(lesser, looks=first.looks + second.looks)

    def _search(self, image: Image, parsing: Parsing, random: Generator) -> Suspect:
        boxes = strips(self.recipe.strips, image.shape[:2], random.random())
        base, *looks = self._see([image, *(hide_tile(image, box) for box in boxes)])
        best = find_best_return(_floor(base, parsing), looks, boxes, parsing.parts)
        count = 1 + len(boxes)
        if best.share < self.recipe.min_return:
            return suspect_of(best, 0.0, count)
        boxes = cut(best.tile, self.recipe.tiles, random.random())
        closer = self._see([hide_tile(image, box) for box in boxes])
        best = find_best_return(best.floor, closer, boxes, parsing.parts)
        return suspect_of(best, self._moved_share(image, best, random), self.recipe.passes)

    def _moved_share(self, image: Image, best: TileReturn, random: Generator) -> float:
        """Median share of what came back that vanishes with the tile at other places."""
        anywhere = other_places(best.tile, random.random((_CANDIDATES, 2)))
        places = free_places(best, anywhere, self.recipe.places)
        without = hide_tile(image, best.tile)
        looks = self._see([put(image, best.tile, place, without) for place in places])
        shares = [measure_vanishing(best, *each) for each in zip(looks, places, strict=True)]
        return median(0.0 if isnan(share) else share for share in shares)

    def _see(self, pictures: Sequence[Image]) -> Sequence[Any]:
        return self.segmenter.probabilities(pictures, self.recipe.scale)


def _floor(base: Any, parsing: Parsing) -> Any:
    """What the parse or a look of this size sees of persons without anything hidden."""
    height, width = base.shape[-2:]
    parse = resample(parsing.probabilities, (height, width))
    return array_namespace(base).maximum(foreground_of(base), foreground_of(parse))
