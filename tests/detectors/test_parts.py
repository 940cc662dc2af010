from typing import Any

import numpy as np

from detectors.parts import SKIN_GROUPS, PartGroup, group_indices, group_mask, label_mask


def test_every_label_but_the_background_belongs_to_one_group(draw: Any) -> None:
    labels = draw().labels
    groups = [[group for group in PartGroup if group_indices([name], [group])] for name in labels]
    assert [len(found) for found in groups] == [0] + [1] * (len(labels) - 1)


def test_indices_follow_the_segmenters_own_order() -> None:
    assert group_indices(["leg", "pants", "arm", "face"], SKIN_GROUPS) == [0, 2, 3]


def test_labels_that_nobody_knows_belong_to_no_group() -> None:
    assert group_indices(["background", "tentacle"], list(PartGroup)) == []


def test_a_mask_of_no_labels_is_empty() -> None:
    assert not label_mask(np.arange(256, dtype=np.uint8).reshape(16, 16), []).any()


def test_the_highest_label_can_be_masked() -> None:
    mask = label_mask(np.arange(256, dtype=np.uint8).reshape(16, 16), [255])
    assert np.argwhere(mask).tolist() == [[15, 15]]


def test_a_group_mask_covers_exactly_its_parts(draw: Any) -> None:
    parsing = draw({})
    assert group_mask(parsing, PartGroup.FACE).sum() == 24 * 20
    assert group_mask(parsing, *SKIN_GROUPS).sum() == 24 * 20 + 55 * 10
