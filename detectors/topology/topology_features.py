"""Topology features: whether the parts form bodies."""

from collections.abc import Sequence
from math import nan

import cv2
import numpy as np

from detectors.parsing import LabelMap
from detectors.parts import (
    HEAD_GROUPS,
    SKIN,
    TORSO_GROUPS,
    PartGroup,
    group_indices,
    label_mask,
    part_indices,
)
from detectors.topology.persons import Mask, Person, Scene, box_around

_MIN_PIECE_PIXELS = 6


def topology_features(scene: Scene) -> dict[str, float]:
    """Measure the ``topology`` group; body-height gaps are NaN where a neighbour is absent."""
    label_map, persons = scene.label_map, scene.persons
    foreground = label_map > 0
    area = max(1, int(foreground.sum()))
    pieces = count_pieces(label_map)
    skin = label_mask(label_map, part_indices(scene.labels, SKIN))
    return {
        "persons": float(len(persons)),
        "components": float(pieces),
        "fragments_per_person": pieces / len(persons) if persons else nan,
        "holes": float(count_holes(foreground)),
        "boundary_share": boundary_pixels(label_map) / area,
        "skin_share": int(skin.sum()) / area,
        "stray_share": 1.0 - min(1.0, sum(person.area for person in persons) / area),
        **_neighbour_features(scene),
    }


def count_pieces(label_map: LabelMap) -> int:
    """Connected pieces of any one label, specks left out."""
    # Most of a picture shows nobody.
    box = label_map[box_around(label_map)]
    labels = np.flatnonzero(np.bincount(box.ravel()))
    return sum(_pieces_of(box == label) for label in labels if label != 0)


def _pieces_of(mask: Mask) -> int:
    """Connected pieces, counted within the box around them: most parts are small."""
    part = mask.view(np.uint8)
    _, pieces = cv2.connectedComponents(part[box_around(part)])
    return int((np.bincount(pieces.ravel())[1:] >= _MIN_PIECE_PIXELS).sum())


def count_holes(foreground: Mask) -> int:
    """Background pieces that do not touch the picture's border, specks left out."""
    box = foreground[box_around(foreground.view(np.uint8))]
    background = np.pad(~box, 1, constant_values=True).view(np.uint8)
    _, pieces = cv2.connectedComponents(background, connectivity=4)
    is_large = np.bincount(pieces.ravel()) >= _MIN_PIECE_PIXELS
    is_large[[0, pieces[0, 0]]] = False
    return int(is_large.sum())


def boundary_pixels(label_map: LabelMap) -> int:
    """Foreground pixels with a right or lower neighbour of another label."""
    edge = np.zeros(label_map.shape, dtype=np.bool_)
    edge[:, :-1] |= label_map[:, :-1] != label_map[:, 1:]
    edge[:-1, :] |= label_map[:-1, :] != label_map[1:, :]
    return int((edge & (label_map > 0)).sum())


def vertical_gap(upper: Mask, lower: Mask, body_height: int) -> float:
    """Empty rows between two parts in body heights; 0 where they touch, NaN if one is absent."""
    upper_rows, lower_rows = np.flatnonzero(upper.any(axis=1)), np.flatnonzero(lower.any(axis=1))
    if not upper_rows.size or not lower_rows.size:
        return nan
    return float(max(0, lower_rows[0] - upper_rows[-1] - 1) / max(1, body_height))


def _neighbour_features(scene: Scene) -> dict[str, float]:
    pairs = {
        "head_torso_gap": (HEAD_GROUPS, TORSO_GROUPS),
        "torso_legs_gap": (TORSO_GROUPS, (PartGroup.LOWER, PartGroup.LEGS)),
        "trousers_feet_gap": ((PartGroup.LOWER,), (PartGroup.FEET, PartGroup.LEGS)),
    }
    gaps = {
        name: _largest([_gap(scene, person, *groups) for person in scene.persons])
        for name, groups in pairs.items()
    }
    head = group_indices(scene.labels, HEAD_GROUPS)
    headless = [not label_mask(person.label_map, head).any() for person in scene.persons]
    is_measured = bool(headless and head)
    return {"headless_share": float(np.mean(headless)) if is_measured else nan, **gaps}


def _gap(
    scene: Scene, person: Person, upper: Sequence[PartGroup], lower: Sequence[PartGroup]
) -> float:
    label_map = scene.around(person)
    return vertical_gap(
        label_mask(label_map, group_indices(scene.labels, upper)),
        label_mask(label_map, group_indices(scene.labels, lower)),
        person.height,
    )


def _largest(values: Sequence[float]) -> float:
    present = [value for value in values if not np.isnan(value)]
    return max(present) if present else nan
