"""Part groups: the words in which rules speak about bodies, whatever the label list."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.parsing import LabelMap, Parsing


class PartGroup(StrEnum):
    """A region of a person that every supported label list can express."""

    HEAD = "head"
    HAIR = "hair"
    FACE = "face"
    TORSO = "torso"
    ARMS = "arms"
    LOWER = "lower"
    LEGS = "legs"
    FEET = "feet"
    ACCESSORIES = "accessories"


HEAD_GROUPS = (PartGroup.HEAD, PartGroup.HAIR, PartGroup.FACE)
SKIN_GROUPS = (PartGroup.FACE, PartGroup.ARMS, PartGroup.LEGS)
CLOTHES_GROUPS = (PartGroup.TORSO, PartGroup.LOWER)
# The regions that features are measured on one by one, by the word that stands in their names.
REGIONS: dict[str, tuple[PartGroup, ...]] = {
    "face": (PartGroup.FACE,),
    "hair": (PartGroup.HAIR,),
    "arms": (PartGroup.ARMS,),
    "legs": (PartGroup.LEGS,),
    "feet": (PartGroup.FEET,),
    "clothes": CLOTHES_GROUPS,
}

_GROUP_OF_LABEL: dict[str, PartGroup] = {
    "hat": PartGroup.HEAD,
    "hair": PartGroup.HAIR,
    "glasses": PartGroup.HEAD,
    "upper_clothes": PartGroup.TORSO,
    "coat": PartGroup.TORSO,
    "dress": PartGroup.TORSO,
    "skirt": PartGroup.LOWER,
    "pants": PartGroup.LOWER,
    "socks": PartGroup.FEET,
    "shoes": PartGroup.FEET,
    "bag": PartGroup.ACCESSORIES,
    "face": PartGroup.FACE,
    "arm": PartGroup.ARMS,
    "leg": PartGroup.LEGS,
}


def group_indices(labels: Sequence[str], groups: Sequence[PartGroup]) -> list[int]:
    """Indices into ``labels`` that belong to any of ``groups``; unknown labels belong to none."""
    return [i for i, label in enumerate(labels) if _GROUP_OF_LABEL.get(label) in groups]


def label_mask(label_map: LabelMap, indices: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Pixels ``(H, W)`` whose label is one of ``indices``."""
    wanted = np.zeros(256, dtype=np.bool_)
    wanted[list(indices)] = True
    return wanted[label_map]


def group_mask(parsing: Parsing, *groups: PartGroup) -> npt.NDArray[np.bool_]:
    """Pixels ``(H, W)`` of a parsing that belong to any of ``groups``."""
    return label_mask(parsing.label_map, group_indices(parsing.labels, groups))
