"""Topology rules on real masks, per person and in body heights."""

from collections.abc import Sequence

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
from detectors.rule_book import (
    FACELESS_HEAD,
    HEADLESS_BODY,
    NO_PERSON,
    SKIN_SHARE_LOW,
    TROUSERS_WITHOUT_FEET,
)
from detectors.topology.persons import Person, Scene
from detectors.topology.topology_features import vertical_gap
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits

Persons = tuple[Person, ...]


def topology_findings(scene: Scene, limits: TopologyLimits) -> tuple[Finding, ...]:
    """Judge persons that are large and sure enough; at most one finding per rule, the worst's.

    A rule about parts that the labels cannot name judges nobody.
    """
    if not scene.persons:
        return (Finding(NO_PERSON, {"foreground_share": float((scene.label_map > 0).mean())}),)
    persons = list_judged(scene, limits)
    if not persons:
        return ()
    findings = [
        _skin_share_low(scene, persons, limits),
        _trousers_without_feet(scene, persons, limits),
        _headless_body(scene, persons, limits),
        _faceless_head(scene, persons, limits),
    ]
    return tuple(finding for finding in findings if finding is not None)


def list_judged(scene: Scene, limits: TopologyLimits) -> Persons:
    """The persons of whom the rules can say anything, largest first."""
    return tuple(
        person
        for person in scene.persons
        if person.area_share >= limits.min_person_share and person.sureness >= limits.min_sureness
    )


def topology_extremes(scene: Scene, limits: TopologyLimits = DEFAULTS) -> dict[str, float]:
    """How near the worst person of a scene comes to each limit that is learnt, by its name.

    Empty without a person that is judged.
    """
    persons = list_judged(scene, limits)
    if not persons:
        return {}
    return {
        "min_skin_share": min(_skin_shares(scene, persons)),
        "max_trousers_gap": max(_trousers_gaps(scene, persons, limits)),
        "min_hair_share": max(_faceless_hair(scene, persons)),
    }


def _skin_share_low(scene: Scene, persons: Persons, limits: TopologyLimits) -> Finding | None:
    shares = _skin_shares(scene, persons)
    worst = int(np.argmin(shares))
    if not part_indices(scene.labels, SKIN) or shares[worst] >= limits.min_skin_share:
        return None
    evidence = {"person": float(worst), "skin_share": shares[worst]}
    return Finding(SKIN_SHARE_LOW, evidence, (_whole(scene, persons[worst]),))


def _trousers_without_feet(
    scene: Scene, persons: Persons, limits: TopologyLimits
) -> Finding | None:
    gaps = _trousers_gaps(scene, persons, limits)
    worst = int(np.argmax(gaps))
    if gaps[worst] <= limits.max_trousers_gap:
        return None
    trousers = label_mask(persons[worst].label_map, part_indices(scene.labels, TROUSERS))
    place = scene.place_of(trousers, PartGroup.LOWER.value)
    return Finding(TROUSERS_WITHOUT_FEET, {"person": float(worst), "gap": gaps[worst]}, (place,))


def _headless_body(scene: Scene, persons: Persons, limits: TopologyLimits) -> Finding | None:
    """A person that has no part of a head and does not touch the picture's upper edge."""
    head = group_indices(scene.labels, HEAD_GROUPS)
    for number, person in enumerate(persons):
        is_cut = person.top <= limits.border_share * person.height + 1
        if head and not is_cut and not label_mask(scene.around(person), head).any():
            place = _whole(scene, person)
            return Finding(HEADLESS_BODY, {"person": float(number)}, (place,))
    return None


def _faceless_head(scene: Scene, persons: Persons, limits: TopologyLimits) -> Finding | None:
    """Hair that is as large as heads have it, and no face below or beside it."""
    shares = _faceless_hair(scene, persons)
    worst = int(np.argmax(shares))
    if shares[worst] < limits.min_hair_share:
        return None
    evidence = {"person": float(worst), "hair_share": shares[worst]}
    hair = label_mask(persons[worst].label_map, _hair(scene))
    return Finding(FACELESS_HEAD, evidence, (scene.place_of(hair, PartGroup.HAIR.value),))


def _whole(scene: Scene, person: Person) -> Place:
    return scene.place_of(person.label_map > 0)


def _skin_shares(scene: Scene, persons: Persons) -> list[float]:
    skin = part_indices(scene.labels, SKIN)
    return [_share(person, skin) for person in persons]


def _faceless_hair(scene: Scene, persons: Persons) -> list[float]:
    """Share of hair of each person without a face; 0 of one with a face, or if no label is."""
    face = group_indices(scene.labels, (PartGroup.FACE,))
    if not face:
        return [0.0] * len(persons)
    return [
        0.0 if label_mask(scene.around(person), face).any() else _share(person, _hair(scene))
        for person in persons
    ]


def _hair(scene: Scene) -> list[int]:
    return group_indices(scene.labels, (PartGroup.HAIR,))


def _share(person: Person, indices: Sequence[int]) -> float:
    return float(label_mask(person.label_map, indices).sum()) / person.area


def _trousers_gaps(scene: Scene, persons: Persons, limits: TopologyLimits) -> list[float]:
    return [_trousers_gap(scene, person, limits) for person in persons]


def _trousers_gap(scene: Scene, person: Person, limits: TopologyLimits) -> float:
    """Gap below a person's trousers in body heights; 1 without any foot, 0 where not judged."""
    trousers = label_mask(person.label_map, part_indices(scene.labels, TROUSERS))
    groups = group_indices(scene.labels, (PartGroup.FEET, PartGroup.LEGS))
    if not groups or trousers.sum() < limits.min_trousers_share * person.area:
        return 0.0
    last_row = int(np.flatnonzero(trousers.any(axis=1))[-1])
    if person.label_map.shape[0] - last_row <= limits.border_share * person.height + 1:
        return 0.0
    feet = label_mask(scene.around(person), groups)
    gap = vertical_gap(trousers, feet, person.height)
    return 1.0 if np.isnan(gap) else gap
