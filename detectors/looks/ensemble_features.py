"""Ensemble features: what several looks at one picture agree on, and where the parse differs.

Written against the Python array API, so that the same lines reduce numpy and torch arrays.
Predictive entropy of the mean and mutual information (BALD): Houlsby et al., 2011; as a sign of
adversarial examples: Smith & Gal, UAI 2018. Looks are compared with their own mean, so that a
smaller size alone is not taken for an attack; the mean is compared with the parse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, nan
from typing import Any

from array_api_compat import array_namespace

from detectors.looks.squeeze_features import divergence, divergence_map
from detectors.looks.tile_maps import largest_tile_mean
from detectors.parts import COMPARED_REGIONS, REGIONS, group_indices
from detectors.reductions import (
    belongs,
    entropy_map,
    iou,
    is_comparable,
    masked_mean,
    pixels_of,
    share_of,
    smallest,
)


@dataclass(frozen=True, eq=False)
class Consensus:
    """What the members of an ensemble say together.

    Attributes:
        mean: averaged probabilities ``(C, h, w)``.
        variance: variance over the members, averaged over the classes, ``(h, w)``.
        entropy: entropy of the mean in nats, ``(h, w)``.
        mutual_information: entropy of the mean minus mean of the entropies, in nats, ``(h, w)``.
        label_maps: the likeliest labels of each member, ``(h, w)``.
    """

    mean: Any
    variance: Any
    entropy: Any
    mutual_information: Any
    label_maps: tuple[Any, ...]


def consensus_of(members: Iterable[Any]) -> Consensus:
    """Combine one or more members, each ``(C, h, w)``; only their label maps are kept.

    Mean and squared deviations are updated member by member (Welford, 1962): members that are equal
    have no variance at all, not a rounding error.
    """
    mean = squares = entropies = None
    label_maps: list[Any] = []
    for count, member in enumerate(members, start=1):
        xp = array_namespace(member)
        label_maps.append(xp.argmax(member, axis=0))
        if mean is None:
            mean, squares = member, xp.zeros_like(member)
            entropies = entropy_map(member)
            continue
        change = member - mean
        mean = mean + change / count
        squares = squares + change * (member - mean)
        entropies = entropies + entropy_map(member)
    return _combine(mean, squares, entropies, tuple(label_maps))


def _combine(mean: Any, squares: Any, entropies: Any, label_maps: tuple[Any, ...]) -> Consensus:
    xp, count = array_namespace(mean), len(label_maps)
    entropy = entropy_map(mean)
    return Consensus(
        mean=mean,
        variance=xp.mean(squares, axis=0) / count,
        entropy=entropy,
        mutual_information=xp.clip(entropy - entropies / count, 0.0, log(mean.shape[0])),
        label_maps=label_maps,
    )


def consensus_features(parse: Any, consensus: Consensus, labels: Sequence[str]) -> dict[str, float]:
    """Measure a consensus against a parse of its size ``(C, h, w)``.

    The foreground is where either sees any; without it the features on it are NaN.
    """
    xp = array_namespace(parse)
    before, after = xp.argmax(parse, axis=0), xp.argmax(consensus.mean, axis=0)
    foreground = (before != 0) | (after != 0)
    return {
        "ensemble_variance": masked_mean(consensus.variance, foreground),
        "ensemble_entropy": masked_mean(consensus.entropy, foreground),
        "mutual_information": masked_mean(consensus.mutual_information, foreground),
        "label_disagreement": label_disagreement(consensus.label_maps, after, foreground),
        "worst_member_iou": smallest(
            [worst_region_iou(each, after, labels) for each in consensus.label_maps]
        ),
        "worst_group_iou": worst_region_iou(before, after, labels),
        "js_consensus": divergence(parse, consensus.mean),
        "tile_js_consensus": largest_tile_mean(divergence_map(parse, consensus.mean)),
        **hidden_features(before, after, labels),
    }


def label_disagreement(members: Sequence[Any], consensus: Any, foreground: Any) -> float:
    """Share of the members' labels on the foreground that are not the consensus's."""
    shares = [share_of(member != consensus, foreground) for member in members]
    return sum(shares) / len(shares)


def region_ious(first: Any, second: Any, labels: Sequence[str]) -> dict[str, float]:
    """Intersection over union of each region in two label maps; NaN where it is too small."""
    ious = {}
    for region, groups in COMPARED_REGIONS.items():
        indices = group_indices(labels, groups)
        ious[region] = iou(belongs(first, indices), belongs(second, indices))
    return ious


def worst_region_iou(first: Any, second: Any, labels: Sequence[str]) -> float:
    """The smallest of the regions' overlaps; NaN where no region is large enough."""
    return smallest(region_ious(first, second, labels).values())


def hidden_features(before: Any, after: Any, labels: Sequence[str]) -> dict[str, float]:
    """Area that appears only under transforms: foreground of ``after``, background of ``before``.

    Small changes of a picture do not make persons appear in it; they may bring back what an attack
    on exactly these pixels removed.
    """
    hidden_area = (before == 0) & (after != 0)
    regions = {
        f"hidden_{region}_share": _hidden_share(hidden_area, after, group_indices(labels, groups))
        for region, groups in REGIONS.items()
    }
    return {
        "hidden_area_share": pixels_of(hidden_area) / (hidden_area.shape[0] * hidden_area.shape[1]),
        "hidden_foreground_share": share_of(hidden_area, after != 0),
        **regions,
    }


def _hidden_share(hidden_area: Any, after: Any, indices: Sequence[int]) -> float:
    region = belongs(after, indices)
    return share_of(hidden_area, region) if is_comparable(region) else nan
