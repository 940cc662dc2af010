"""Topology rules on real masks, per person and in body heights."""

from dataclasses import dataclass

import numpy as np

from detectors.findings import Finding, Place
from detectors.parts import (
    HEAD_GROUPS,
    SKIN,
    TROUSERS,
    PartGroup,
    group_indices,
    label_mask,
    part_indices,
)
from detectors.persons import Person, Scene
from detectors.rule_book import (
    FACELESS_HEAD,
    HEADLESS_BODY,
    NO_PERSON,
    SKIN_SHARE_LOW,
    TROUSERS_WITHOUT_FEET,
)
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
        min_hair_share: a head without a face is looked for under hair of at least this share of
            the person.
    """

    min_skin_share: float = 0.01
    max_trousers_gap: float = 0.06
    min_trousers_share: float = 0.08
    border_share: float = 0.04
    min_hair_share: float = 0.02


def topology_findings(scene: Scene, limits: TopologyLimits) -> tuple[Finding, ...]:
    """Judge every person of a scene; at most one finding per rule, the worst person's."""
    if not scene.persons:
        return (Finding(NO_PERSON, {"foreground_share": float((scene.label_map > 0).mean())}),)
    found = [
        _skin_share_low(scene, limits),
        _trousers_without_feet(scene, limits),
        _headless_body(scene, limits),
        _faceless_head(scene, limits),
    ]
    return tuple(finding for finding in found if finding is not None)


def _skin_share_low(scene: Scene, limits: TopologyLimits) -> Finding | None:
    skin = part_indices(scene.labels, SKIN)
    shares = [label_mask(person.label_map, skin).sum() / person.area for person in scene.persons]
    worst = int(np.argmin(shares))
    if shares[worst] >= limits.min_skin_share:
        return None
    evidence = {"person": float(worst), "skin_share": float(shares[worst])}
    return Finding(SKIN_SHARE_LOW, evidence, (_whole(scene, scene.persons[worst]),))


def _trousers_without_feet(scene: Scene, limits: TopologyLimits) -> Finding | None:
    gaps = [_trousers_gap(scene, person, limits) for person in scene.persons]
    worst = int(np.argmax(gaps))
    if gaps[worst] <= limits.max_trousers_gap:
        return None
    trousers = label_mask(scene.persons[worst].label_map, part_indices(scene.labels, TROUSERS))
    place = scene.place_of(trousers, PartGroup.LOWER.value)
    return Finding(TROUSERS_WITHOUT_FEET, {"person": float(worst), "gap": gaps[worst]}, (place,))


def _headless_body(scene: Scene, limits: TopologyLimits) -> Finding | None:
    """A person that has no part of a head and does not touch the picture's upper edge."""
    head = group_indices(scene.labels, HEAD_GROUPS)
    for number, person in enumerate(scene.persons):
        is_cut = person.top <= limits.border_share * person.height + 1
        if not is_cut and not label_mask(scene.around(person), head).any():
            place = _whole(scene, person)
            return Finding(HEADLESS_BODY, {"person": float(number)}, (place,))
    return None


def _faceless_head(scene: Scene, limits: TopologyLimits) -> Finding | None:
    """Hair that is as large as heads have it, and no face below or beside it."""
    hair = group_indices(scene.labels, (PartGroup.HAIR,))
    face = group_indices(scene.labels, (PartGroup.FACE,))
    for number, person in enumerate(scene.persons):
        seen = label_mask(person.label_map, hair)
        share = float(seen.sum()) / person.area
        if share >= limits.min_hair_share and not label_mask(scene.around(person), face).any():
            evidence = {"person": float(number), "hair_share": share}
            return Finding(FACELESS_HEAD, evidence, (scene.place_of(seen, PartGroup.HAIR.value),))
    return None


def _whole(scene: Scene, person: Person) -> Place:
    return scene.place_of(person.label_map > 0)


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
