"""Part groups: the words in which rules speak about bodies, whatever the label list."""

from collections.abc import Mapping, Sequence, Set
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from detectors.label_lists import BACKGROUND, label_words
from detectors.parsing import LabelMap, Parsing


class PartGroup(StrEnum):
    """A region of a person, from head to foot; most label lists can express most of them."""

    HEAD = "head"
    HAIR = "hair"
    FACE = "face"
    TORSO = "torso"
    BARE_TORSO = "bare torso"
    ARMS = "arms"
    LOWER = "lower"
    LEGS = "legs"
    FEET = "feet"
    ACCESSORIES = "accessories"
    OTHER = "other"


HEAD_GROUPS = (PartGroup.HEAD, PartGroup.HAIR, PartGroup.FACE)
TORSO_GROUPS = (PartGroup.TORSO, PartGroup.BARE_TORSO)
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
# The regions that are compared with each other, where no feature is named after one.
COMPARED_REGIONS = {**REGIONS, "other": (PartGroup.OTHER,)}

# Every label of every list, in the spelling of `label_words`.
PARTS: Mapping[PartGroup, tuple[str, ...]] = {
    PartGroup.HEAD: ("hat", "glasses", "sunglasses"),
    PartGroup.HAIR: ("hair",),
    PartGroup.FACE: ("face",),
    PartGroup.TORSO: ("upper clothes", "coat", "dress", "jumpsuits"),
    PartGroup.BARE_TORSO: ("torso skin",),
    PartGroup.ARMS: ("arm", "left arm", "right arm", "glove"),
    PartGroup.LOWER: ("pants", "skirt"),
    PartGroup.LEGS: ("leg", "left leg", "right leg"),
    PartGroup.FEET: ("socks", "shoes", "left shoe", "right shoe"),
    PartGroup.ACCESSORIES: ("scarf", "belt", "bag"),
}
# What is bare; a glove is a hand, but no skin. Of a whole group of limbs nobody knows how much is:
# it counts as bare, so that no person is found odd for it.
SKIN = frozenset(
    (
        *("face", "torso skin", "arm", "left arm", "right arm", "leg", "left leg", "right leg"),
        *(PartGroup.BARE_TORSO, PartGroup.ARMS, PartGroup.LEGS),
    )
)
# Clothes with legs, which end at feet or at bare legs.
TROUSERS = frozenset(("pants", "jumpsuits"))

# A group's own word is a label too: what a label is translated to, of which no more is known.
_GROUP_OF_PART = {group.value: group for group in PartGroup} | {
    part: group for group, parts in PARTS.items() for part in parts
}


def group_of(label: str) -> PartGroup | None:
    """The part group of a label in any spelling; none for the background.

    >>> group_of("Left-shoe"), group_of("tentacle"), group_of("Background")
    (<PartGroup.FEET: 'feet'>, <PartGroup.OTHER: 'other'>, None)
    """
    words = label_words(label)
    return None if words == BACKGROUND else _GROUP_OF_PART.get(words, PartGroup.OTHER)


def unknown_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels that no list has, so that no rule knows what they are: a group of their own.

    >>> unknown_labels(("Background", "Face", "Human"))
    ('Human',)
    """
    words = (BACKGROUND, *_GROUP_OF_PART)
    return tuple(label for label in labels if label_words(label) not in words)


def group_indices(labels: Sequence[str], groups: Sequence[PartGroup]) -> list[int]:
    """Indices into ``labels`` that belong to any of ``groups``."""
    return list(_group_indices(tuple(labels), tuple(groups)))


# The same few questions for every picture: one model's labels and the groups of the features.
@lru_cache(maxsize=512)
def _group_indices(labels: tuple[str, ...], groups: tuple[PartGroup, ...]) -> tuple[int, ...]:
    return tuple(i for i, label in enumerate(labels) if group_of(label) in groups)


def part_indices(labels: Sequence[str], parts: Set[str]) -> list[int]:
    """Indices into ``labels`` of single parts, such as :data:`SKIN` or :data:`TROUSERS`."""
    return [i for i, label in enumerate(labels) if label_words(label) in parts]


def label_mask(label_map: LabelMap, indices: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Pixels ``(H, W)`` whose label is one of ``indices``."""
    table = np.zeros(256, dtype=np.uint8)
    table[list(indices)] = 1
    # Six times faster than indexing, and this is asked a dozen times a picture.
    return np.asarray(cv2.LUT(label_map, table), dtype=np.uint8).view(np.bool_)


def group_mask(parsing: Parsing, *groups: PartGroup) -> npt.NDArray[np.bool_]:
    """Pixels ``(H, W)`` of a parsing that belong to any of ``groups``."""
    return label_mask(parsing.label_map, group_indices(parsing.parts, groups))
