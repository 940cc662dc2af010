"""Local evidence: how far the parse moves in its worst tile, and which parts come back.

Attacks on a parsing service want one face or one hand; a mean over the whole person hides what
they did. So a parse is compared with another look at the same picture tile by tile and part by
part, and the tile and the part are kept as evidence. What a small change of the pixels brings back
was there: the idea of Xu et al. (Feature Squeezing, NDSS 2018), taken to regions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from detectors.findings import Place
from detectors.looks.squeeze_features import divergence_map
from detectors.looks.tile_maps import (
    Box,
    Values,
    as_numpy,
    largest_piece,
    largest_tile_mean,
    worst_tile,
)
from detectors.parts import REGIONS, group_indices
from detectors.reductions import entropy_map

PERSON = "person"
# Of the picture: a smaller region is taken for this large, so that specks make no large shares.
_MIN_REGION = 0.0015
# Mean probability over a tile from which on a part is said to come back there.
_MIN_RETURN = 0.1


@dataclass(frozen=True, eq=False)
class Contrast:
    """A parse held against another look at the same picture, both ``(C, h, w)``.

    Attributes:
        divergence: Jensen–Shannon divergence in nats, ``(h, w)``.
        entropy: of the parse in nats, ``(h, w)``.
        foreground: where either sees any, ``(h, w)``.
        returns: by region, the probability that only the look gives to it, ``(h, w)``; ``person``
            is the whole foreground.
        mass: by region, how many pixels the look gives to it.
        withdrawal: the probability of foreground that only the parse has, ``(h, w)``.
    """

    divergence: Values
    entropy: Values
    foreground: npt.NDArray[np.bool_]
    returns: Mapping[str, Values]
    mass: Mapping[str, float]
    withdrawal: Values

    @classmethod
    def of(cls, parse: Any, look: Any, labels: Sequence[str]) -> "Contrast":
        """Compare, where the arrays are."""
        xp = array_namespace(parse)
        shares = {
            name: tuple(_share(each, group_indices(labels, groups)) for each in (parse, look))
            for name, groups in REGIONS.items()
        }
        before, after = shares[PERSON] = (1 - parse[0, ...], 1 - look[0, ...])
        return cls(
            divergence=as_numpy(divergence_map(parse, look)),
            entropy=as_numpy(entropy_map(parse)),
            foreground=as_numpy((xp.argmax(parse, axis=0) != 0) | (xp.argmax(look, axis=0) != 0)),
            returns={name: _find_gain(*pair) for name, pair in shares.items()},
            mass={name: float(xp.sum(pair[1])) for name, pair in shares.items()},
            withdrawal=_find_gain(after, before),
        )

    def features(self, prefix: str) -> dict[str, float]:
        """The numbers of this comparison, by names that begin with ``prefix``."""
        withdrawal = float(self.withdrawal.sum())
        return {
            f"{prefix}_divergence": self._on_foreground(self.divergence),
            f"{prefix}_tile_divergence": largest_tile_mean(self.divergence),
            f"{prefix}_entropy": self._on_foreground(self.entropy),
            f"{prefix}_withdrawn_share": self._part(withdrawal, self.mass[PERSON] + withdrawal),
            **{
                f"{prefix}_returned_{name}_share": self._part(float(returns.sum()), self.mass[name])
                for name, returns in self.returns.items()
            },
        }

    def place_of(self, feature: str, height: int, width: int) -> Place:
        """Where a feature of this comparison is clearest, in a picture of this size."""
        for name, returns in self.returns.items():
            if feature.endswith(f"_returned_{name}_share"):
                return self._place(largest_piece(returns), height, width, name)
        if feature.endswith("_withdrawn_share"):
            return self._place(largest_piece(self.withdrawal), height, width)
        tile = worst_tile(self.divergence)
        return self._place(tile, height, width, self._part_of(tile))

    def _part_of(self, box: Box) -> str | None:
        """The region of which most comes back in a box; ``None`` if hardly any does."""
        left, top, right, bottom = box
        means = {
            name: float(returns[top:bottom, left:right].mean())
            for name, returns in self.returns.items()
            if name != PERSON
        }
        best = max(means, key=lambda name: means[name])
        return best if means[best] >= _MIN_RETURN else None

    def _on_foreground(self, values: Values) -> float:
        """Mean where either sees any; zero without: an empty place is sure of itself."""
        return float(values[self.foreground].mean()) if self.foreground.any() else 0.0

    def _part(self, pixels: float, whole: float) -> float:
        return min(1.0, pixels / max(whole, _MIN_REGION * self.divergence.size))

    def _place(self, box: Box, height: int, width: int, part: str | None = None) -> Place:
        rows, columns = height / self.divergence.shape[0], width / self.divergence.shape[1]
        left, top, right, bottom = box
        return Place(
            left=round(left * columns),
            top=round(top * rows),
            right=round(right * columns),
            bottom=round(bottom * rows),
            part=part,
        )


def _find_gain(before: Any, after: Any) -> Values:
    """What a region has afterwards and had not before, ``(h, w)``."""
    gain: Values = as_numpy(array_namespace(before).clip(after - before, 0.0, 1.0))
    return gain


def _share(probabilities: Any, indices: Sequence[int]) -> Any:
    """Probability of a region at each pixel, ``(h, w)``."""
    share = array_namespace(probabilities).zeros_like(probabilities[0, ...])
    for index in indices:
        share = share + probabilities[index, ...]
    return share
