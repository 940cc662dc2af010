"""Topology rules on real masks, per person and in body heights."""

from dataclasses import dataclass

import numpy as np

from detectors.findings import Finding
from detectors.parts import SKIN, TROUSERS, PartGroup, group_indices, label_mask, part_indices
from detectors.persons import Person, Scene
from detectors.rule_book import NO_PERSON, SKIN_SHARE_LOW, TROUSERS_WITHOUT_FEET
from detectors.topology_features import vertical_gap


@dataclass(frozen=True)
class TopologyLimits:
    """Where normal ends.

    Attributes:
        min_skin_share: skin pixels over a person's pixels.
        max_trousers_gap: rows between trousers and feet, in body heights.
        min_trousers_share: trousers smaller than this share of the person are not judged.
        border_share: trousers that end this close to the picture's lower edge, in body heights, are
            cut off by the picture and not judged.
    """

    min_skin_share: float = 0.01
    max_trousers_gap: float = 0.06
    min_trousers_share: float = 0.08
    border_share: float = 0.04


def topology_findings(scene: Scene, limits: TopologyLimits) -> tuple[Finding, ...]:
    """Judge every person of a scene; at most one finding per rule, the worst person's."""
    if not scene.persons:
        return (Finding(NO_PERSON, {"foreground_share": float((scene.label_map > 0).mean())}),)
    found = [
        _skin_share_low(scene.labels, scene.persons, limits),
        _trousers_without_feet(scene, limits),
    ]
    return tuple(finding for finding in found if finding is not None)


def _skin_share_low(
    labels: tuple[str, ...], persons: tuple[Person, ...], limits: TopologyLimits
) -> Finding | None:
    skin = part_indices(labels, SKIN)
    shares = [label_mask(person.label_map, skin).sum() / person.area for person in persons]
    worst = int(np.argmin(shares))
    if shares[worst] >= limits.min_skin_share:
        return None
    return Finding(SKIN_SHARE_LOW, {"person": float(worst), "skin_share": float(shares[worst])})


def _trousers_without_feet(scene: Scene, limits: TopologyLimits) -> Finding | None:
    gaps = [_trousers_gap(scene, person, limits) for person in scene.persons]
    worst = int(np.argmax(gaps))
    if gaps[worst] <= limits.max_trousers_gap:
        return None
    return Finding(TROUSERS_WITHOUT_FEET, {"person": float(worst), "gap": gaps[worst]})


def _trousers_gap(scene: Scene, person: Person, limits: TopologyLimits) -> float:
    """Gap below a person's trousers in body heights; 1 without any foot, 0 where not judged."""
    trousers = label_mask(person.label_map, part_indices(scene.labels, TROUSERS))
    if trousers.sum() < limits.min_trousers_share * person.area:
        return 0.0
    last_row = int(np.flatnonzero(trousers.any(axis=1))[-1])
    if person.label_map.shape[0] - last_row <= limits.border_share * person.height + 1:
        return 0.0
    holding = group_indices(scene.labels, (PartGroup.FEET, PartGroup.LEGS))
    feet = label_mask(scene.around(person), holding)
    gap = vertical_gap(trousers, feet, person.height)
    return 1.0 if np.isnan(gap) else gap
