"""Looks at a picture several times and measures how much the looks differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.random import Generator

from detectors.findings import Finding
from detectors.looks.ensemble_features import consensus_features, consensus_of
from detectors.looks.squeeze_features import patch_consistency, squeeze_features
from detectors.looks.triggers import Suspect, trigger_finding
from detectors.parsing import Image, Parsing
from detectors.resample import resample
from inference.ensemble.patches import PATCH_SIDE, PatchPair
from inference.ensemble.recipe import Recipe, shrunk
from inference.ensemble.tile_search import TileRecipe, TileSearch
from inference.ensemble.transforms import Transform
from inference.segmenters.base import Segmenter


@dataclass(frozen=True, eq=False)
class EnsembleView:
    """What an ensemble saw, at the size of its looks.

    Attributes:
        mean: averaged class probabilities of the members ``(C, h, w)``.
        variance: variance over the members, averaged over the classes, ``(h, w)``.
        mutual_information: in nats, ``(h, w)``.
        passes: forward passes that it took.
        measurements: the features by name.
        findings: rules that fired on what was seen.
    """

    mean: Any
    variance: Any
    mutual_information: Any
    passes: int
    measurements: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def features(self) -> dict[str, float]:
        """The features of the group ``ensemble``; those that were not looked for are left out."""
        return dict(self.measurements)


@dataclass(frozen=True)
class Ensemble:
    """Several looks of one segmenter, by one recipe."""

    segmenter: Segmenter
    recipe: Recipe = field(default_factory=Recipe)

    def look(self, image: Image, parsing: Parsing, random: Generator) -> EnsembleView:
        """Look at a picture again; all looks of one size are one call of the segmenter.

        Args:
            image: the picture ``(H, W, 3)`` uint8 that was parsed.
            parsing: what the same segmenter made of it.
            random: draws the transforms; see :class:`inference.ensemble.draws.Draws`.
        """
        small = self.recipe.shrunk(image)
        members = self.recipe.member_transforms()
        squeezes = self.recipe.squeeze_transforms(parsing.labels)
        looks = self._looks(small, (*members, *squeezes), random)
        consensus = consensus_of(looks[: len(members)])
        height, width = consensus.variance.shape
        parse = resample(parsing.probabilities, (height, width))
        squeeze_looks = {
            each.name: look for each, look in zip(squeezes, looks[len(members) :], strict=True)
        }
        measurements = {
            **consensus_features(parse, consensus, parsing.parts),
            **(squeeze_features(parse, squeeze_looks) if squeeze_looks else {}),
            **(self._patch_features(small, random) if self.recipe.patches else {}),
        }
        tiles = self.recipe.tiles
        suspect = self._suspect(image, parsing, tiles, random) if tiles else None
        if suspect is not None:
            measurements |= suspect.features()
        return EnsembleView(
            consensus.mean,
            consensus.variance,
            consensus.mutual_information,
            self.recipe.without_tiles().passes + (suspect.looks if suspect else 0),
            measurements,
            self._findings(suspect, image),
        )

    def _looks(
        self, image: Image, transforms: Sequence[Transform], random: Generator
    ) -> tuple[Any, ...]:
        pictures = [transform.apply(image, random) for transform in transforms]
        looks = self.segmenter.probabilities(pictures, self.recipe.scale)
        return tuple(each.undo(look) for each, look in zip(transforms, looks, strict=True))

    def _suspect(
        self, image: Image, parsing: Parsing, tiles: TileRecipe, random: Generator
    ) -> Suspect:
        small = shrunk(image, tiles.scale)
        return TileSearch(self.segmenter, tiles).look(small, parsing, random)

    def _findings(self, suspect: Suspect | None, image: Image) -> tuple[Finding, ...]:
        if suspect is None or self.recipe.tiles is None:
            return ()
        finding = trigger_finding(suspect, image.shape[:2], self.recipe.tiles.max_score)
        return () if finding is None else (finding,)

    def _patch_features(self, image: Image, random: Generator) -> dict[str, float]:
        """Crops are seen at the size that they have in the whole look, not enlarged."""
        pair = PatchPair.draw(random)
        looks = self.segmenter.probabilities(pair.crops(image), self.recipe.scale * PATCH_SIDE)
        size = pair.overlap_size(looks[0].shape[-2:])
        first, second = (
            resample(look, size, box) for look, box in zip(looks, pair.overlaps(), strict=True)
        )
        return {"patch_consistency": patch_consistency(first, second)}
