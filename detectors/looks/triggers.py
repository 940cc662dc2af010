"""Triggers of a backdoor: a small tile that makes something elsewhere vanish.

Hide the tile, and what it suppressed comes back far from it (Doan et al., Februus, ACSAC 2020).
Put the tile somewhere else in the picture, and the same vanishes again: what a tile carries with it
is a trigger (Chou et al., SentiNet, S&PW 2020; the idea of mixing a suspicious part with clean
surroundings is STRIP's, Gao et al., ACSAC 2019). Chance changes of a parse do the first now and
then, hardly ever both. An adversarial patch that works at any place shows in the same way.

Written against the Python array API, so that the same lines reduce numpy and torch arrays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device

from detectors.findings import Finding, Place
from detectors.parts import COMPARED_REGIONS, PartGroup, group_indices
from detectors.reductions import largest
from detectors.resample import Box
from detectors.rule_book import TRIGGER_SUSPECTED

# A part that covers a smaller share of the picture comes and goes by chance.
_MIN_PART = 0.004
# A hidden tile blurs the parse around it; only what lies further off counts, in picture sides.
_MARGIN = 0.04
# Where a returned pixel's probability grew by this much, it belongs to what came back.
_CLEARLY = 0.3
# A place for a tile may cover this share of what came back: there it cannot be seen to vanish.
_MAX_COVERED = 0.25


@dataclass(frozen=True, eq=False)
class TileReturn:
    """What came back when a tile was hidden.

    Attributes:
        tile: the hidden tile.
        floor: probability to show a person that each pixel has anyway, ``(h, w)``.
        gain: how much likelier each pixel became to show a person, ``(h, w)``, 0 near the tile.
        foreground: probability to show a person with the tile hidden, ``(h, w)``.
        shares: share of each region of the person, and of the whole ``person``, that came back.
        part: the part group of which most came back; ``None`` if nothing did.
    """

    tile: Box
    floor: Any
    gain: Any
    foreground: Any
    shares: Mapping[str, float]
    part: PartGroup | None = None

    @property
    def clear_gain(self) -> Any:
        """The gain where it is no matter of chance, 0 elsewhere."""
        return self.gain * array_namespace(self.gain).astype(self.gain > _CLEARLY, self.gain.dtype)

    @property
    def share(self) -> float:
        """The largest share of any region; 0 where nothing is large enough to say."""
        share = largest(self.shares.values())
        return 0.0 if np.isnan(share) else share


@dataclass(frozen=True)
class Suspect:
    """The tile that is most like a trigger.

    Attributes:
        tile: where it is.
        return_share: share of a region that comes back when it is hidden.
        moved_share: share of that which vanishes again when the tile is put somewhere else.
        back: bounds of what came back; ``None`` if nothing clearly did.
        part: the part group of which most came back.
        area: what came back, as a share of the picture.
        looks: how many looks the search took.
    """

    tile: Box
    return_share: float
    moved_share: float
    back: Box | None = None
    part: PartGroup | None = None
    area: float = 0.0
    looks: int = 0

    @property
    def score(self) -> float:
        """0 to 1; high where the tile both hides something and takes that with it."""
        return self.return_share * self.moved_share

    def features(self) -> dict[str, float]:
        """The features of the group ``ensemble``."""
        return {
            "trigger_return_share": self.return_share,
            "trigger_return_area": self.area,
            "trigger_moved_share": self.moved_share,
            "trigger_score": self.score,
        }


def foreground_of(probabilities: Any) -> Any:
    """Probability ``(h, w)`` that a pixel is not background."""
    return 1 - probabilities[0, ...]


def find_best_return(
    floor: Any, looks: Sequence[Any], tiles: Sequence[Box], labels: Sequence[str]
) -> TileReturn:
    """The tile of which most comes back when it alone is hidden.

    What comes back under another tile too, which lies elsewhere, was not hidden by this one: parts
    of an unsure parse come and go with any change.

    Args:
        floor: probability of a person that was seen anyway, ``(h, w)``.
        looks: ``(C, h, w)``, each with one tile hidden.
        tiles: these tiles.
        labels: names of the ``C`` labels.
    """
    returns = [
        measure_return(_raise_floor(floor, looks, tiles, tile), look, tile, labels)
        for look, tile in zip(looks, tiles, strict=True)
    ]
    return max(returns, key=lambda each: each.share)


def _raise_floor(floor: Any, looks: Sequence[Any], tiles: Sequence[Box], tile: Box) -> Any:
    """The floor with all that is seen when a tile elsewhere is hidden."""
    for look, other in zip(looks, tiles, strict=True):
        if not _overlap(tile, other):
            floor = array_namespace(floor).maximum(floor, foreground_of(look))
    return floor


def _overlap(first: Box, second: Box) -> bool:
    rows = min(first.bottom, second.bottom) - max(first.top, second.top)
    columns = min(first.right, second.right) - max(first.left, second.left)
    return rows > 0 and columns > 0


def measure_return(floor: Any, look: Any, tile: Box, labels: Sequence[str]) -> TileReturn:
    """What a look ``(C, h, w)`` with a hidden tile shows above a floor ``(h, w)``."""
    xp = array_namespace(look)
    outside = _outside(tile, look, _MARGIN)
    foreground = foreground_of(look)
    gain = xp.clip(foreground - floor, 0.0, 1.0) * outside
    shares = {"person": _measure_share(gain, foreground * outside)}
    for region, groups in COMPARED_REGIONS.items():
        shares[region] = _region_share(gain, look, outside, group_indices(labels, groups))
    return TileReturn(tile, floor, gain, foreground, shares, _main_part(gain, look, labels))


def free_places(tile_return: TileReturn, places: Sequence[Box], count: int) -> tuple[Box, ...]:
    """The first places that cover little of what came back; if there are too few, the least."""
    shares = [_covered_share(tile_return, place) for place in places]
    order = sorted(range(len(places)), key=lambda i: max(shares[i], _MAX_COVERED))
    return tuple(places[i] for i in order[:count])


def measure_vanishing(before: TileReturn, moved_look: Any, place: Box) -> float:
    """Share of what came back that vanishes when the tile lies at another place.

    Args:
        before: what came back when it was hidden.
        moved_look: look ``(C, h, w)`` at the picture with the tile there.
        place: where it lies now; what it covers does not count.
    """
    xp = array_namespace(moved_look)
    gain = before.clear_gain * _outside(place, moved_look, _MARGIN)
    loss = xp.clip(before.foreground - foreground_of(moved_look), 0.0, 1.0)
    whole = float(xp.sum(gain))
    return float(xp.sum(xp.minimum(gain, loss))) / whole if whole > 0 else nan


def trigger_finding(suspect: Suspect, size: tuple[int, int], max_score: float) -> Finding | None:
    """The finding of a tile that scores high: the tile first, then what came back.

    Args:
        suspect: the tile.
        size: height and width of the picture.
        max_score: up to it a tile is nothing unusual.
    """
    if suspect.score <= max_score:
        return None
    places = [_place(suspect.tile, size, None)]
    if suspect.back is not None:
        places.append(_place(suspect.back, size, suspect.part))
    evidence = {"return_share": suspect.return_share, "moved_share": suspect.moved_share}
    return Finding(TRIGGER_SUSPECTED, evidence, tuple(places))


def suspect_of(tile_return: TileReturn, moved_share: float, looks: int = 0) -> Suspect:
    """Put both tests of a tile together."""
    gain = np.asarray(tile_return.gain)
    return Suspect(
        tile_return.tile,
        min(1.0, tile_return.share),
        0.0 if np.isnan(moved_share) else moved_share,
        _bounds(gain > _CLEARLY),
        tile_return.part,
        float(gain.mean()),
        looks,
    )


def _region_share(gain: Any, look: Any, outside: Any, indices: Sequence[int]) -> float:
    if not indices:
        return nan
    xp = array_namespace(look)
    region = sum(look[index, ...] for index in indices) * outside
    return _measure_share(xp.minimum(gain, region), region)


def _covered_share(tile_return: TileReturn, place: Box) -> float:
    xp = array_namespace(tile_return.gain)
    gain = tile_return.clear_gain
    whole = float(xp.sum(gain))
    return 1 - float(xp.sum(gain * _outside(place, gain, 0.0))) / whole if whole > 0 else 0.0


def _measure_share(gain: Any, region: Any) -> float:
    xp = array_namespace(gain)
    least = _MIN_PART * gain.shape[0] * gain.shape[1]
    area = float(xp.sum(region))
    return float(xp.sum(gain)) / area if area >= least else nan


def _main_part(gain: Any, look: Any, labels: Sequence[str]) -> PartGroup | None:
    xp = array_namespace(look)
    masses = {
        group: sum(float(xp.sum(gain * look[i, ...])) for i in group_indices(labels, (group,)))
        for group in PartGroup
    }
    best = max(masses, key=lambda group: masses[group])
    return best if masses[best] > 0 else None


def _outside(box: Box, like: Any, margin: float) -> Any:
    """1 outside a box and a margin around it, 0 inside: ``(h, w)``."""
    height, width = like.shape[-2:]
    mask = np.ones((height, width), dtype=np.float32)
    rows = slice(*_cells(box.top - margin, box.bottom + margin, height))
    columns = slice(*_cells(box.left - margin, box.right + margin, width))
    mask[rows, columns] = 0
    return array_namespace(like).asarray(mask, device=device(like))


def _cells(start: float, stop: float, count: int) -> tuple[int, int]:
    """All cells that an interval of shares touches."""
    return max(0, int(np.floor(start * count))), min(count, int(np.ceil(stop * count)))


def _bounds(mask: npt.NDArray[np.bool_]) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    height, width = mask.shape
    return Box(
        float(rows[0] / height),
        float((rows[-1] + 1) / height),
        float(columns[0] / width),
        float((columns[-1] + 1) / width),
    )


def _place(box: Box, size: tuple[int, int], part: PartGroup | None) -> Place:
    top, bottom = _cells(box.top, box.bottom, size[0])
    left, right = _cells(box.left, box.right, size[1])
    return Place(left, top, right, bottom, None if part is None else part.value)
