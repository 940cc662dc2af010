from typing import Any

import numpy as np
import pytest

from detectors.label_lists import LABEL_LISTS, label_words
from detectors.parts import (
    PARTS,
    SKIN,
    TROUSERS,
    PartGroup,
    group_indices,
    group_mask,
    group_of,
    label_mask,
    part_indices,
    unknown_labels,
)


@pytest.mark.parametrize("name", LABEL_LISTS)
def test_every_label_but_the_background_belongs_to_one_group(name: str) -> None:
    labels = LABEL_LISTS[name]
    groups = [[group for group in PartGroup if group_indices([label], [group])] for label in labels]
    assert [len(found) for found in groups] == [0] + [1] * (len(labels) - 1)
    assert unknown_labels(labels) == ()


def test_no_part_stands_in_the_table_that_no_list_has() -> None:
    listed = {label_words(label) for labels in LABEL_LISTS.values() for label in labels}
    assert {part for parts in PARTS.values() for part in parts} == listed - {"background"}


@pytest.mark.parametrize("name", LABEL_LISTS)
def test_every_list_can_speak_of_heads_torsos_limbs_and_feet(name: str) -> None:
    missing = {group for group in PartGroup if not group_indices(LABEL_LISTS[name], [group])}
    assert missing <= {PartGroup.BARE_TORSO, PartGroup.OTHER}


def test_groups_hold_for_any_spelling() -> None:
    for label in ("UpperClothes", "upper_clothes", "Upper-clothes", "UPPER CLOTHES"):
        assert group_of(label) is PartGroup.TORSO
    assert group_of("torso_skin") is group_of("TorsoSkin") is PartGroup.BARE_TORSO
    assert group_of("LeftShoe") is group_of("left shoe") is PartGroup.FEET


def test_skin_is_what_is_bare() -> None:
    cihp = LABEL_LISTS["CIHP"]
    assert [cihp[i] for i in part_indices(cihp, SKIN)] == [
        "Torso-skin",
        "Face",
        "Left-arm",
        "Right-arm",
        "Left-leg",
        "Right-leg",
    ]
    assert group_of("Glove") is PartGroup.ARMS


@pytest.mark.parametrize(
    ("name", "trousers"),
    [
        ("CIHP", ["Pants"]),
        ("LIP", ["Pants", "Jumpsuits"]),
        ("ATR", ["Pants"]),
        ("reference", ["pants"]),
    ],
)
def test_every_list_has_trousers(name: str, trousers: list[str]) -> None:
    labels = LABEL_LISTS[name]
    assert [labels[i] for i in part_indices(labels, TROUSERS)] == trousers


def test_indices_follow_the_segmenters_own_order() -> None:
    assert part_indices(["leg", "pants", "arm", "face"], SKIN) == [0, 2, 3]
    assert group_indices(["leg", "pants", "arm"], [PartGroup.ARMS, PartGroup.LEGS]) == [0, 2]


def test_labels_that_nobody_knows_are_a_group_of_their_own_and_are_named() -> None:
    assert group_indices(["Background", "tentacle", "face"], [PartGroup.OTHER]) == [1]
    assert unknown_labels(["Background", "tentacle", "Face", "Human"]) == ("tentacle", "Human")


@pytest.mark.parametrize("group", PartGroup)
def test_the_word_of_a_group_is_a_label_of_it(group: PartGroup) -> None:
    assert group_of(group.value) is group
    assert unknown_labels([group.value]) == ()


def test_a_mask_of_no_labels_is_empty() -> None:
    assert not label_mask(np.arange(256, dtype=np.uint8).reshape(16, 16), []).any()


def test_the_highest_label_can_be_masked() -> None:
    mask = label_mask(np.arange(256, dtype=np.uint8).reshape(16, 16), [255])
    assert np.argwhere(mask).tolist() == [[15, 15]]


def test_a_group_mask_covers_exactly_its_parts(draw: Any) -> None:
    parsing = draw({})
    assert group_mask(parsing, PartGroup.FACE).sum() == 24 * 20
    assert group_mask(parsing, PartGroup.FACE, PartGroup.ARMS).sum() == 24 * 20 + 55 * 10
