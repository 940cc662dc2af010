"""Of all that recurs, only what ordinary pictures do not show is chosen, once for each print."""

import numpy as np
import pytest
from numpy.random import default_rng

from detectors.parsing import Image
from detectors.patches.patch_choice import choose_patches
from detectors.patches.patch_match import MIN_ORDINARY, PatchMatcher
from detectors.patches.patches import PatchError, Tile
from tests.detectors.patch_pictures import cloth, printed

SHARE = 0.4


@pytest.fixture(scope="module")
def suspicious() -> list[Tile]:
    pixels = [printed(1), cloth(default_rng(50)), printed(2), printed(3), printed(4)]
    return [Tile(each, SHARE) for each in pixels]


@pytest.fixture(scope="module")
def ordinary() -> list[Image]:
    return [cloth(default_rng(seed), side=250) for seed in range(200, 200 + MIN_ORDINARY)]


def test_a_print_is_chosen_once_and_found_again(
    suspicious: list[Tile], ordinary: list[Image]
) -> None:
    (chosen,) = choose_patches(suspicious, ordinary)
    assert set(chosen.members) <= {0, 2, 3, 4}
    assert len(chosen.members) >= 3
    assert chosen.gap >= 0.1
    matcher = PatchMatcher(chosen.patch)
    assert matcher.look(printed(9, side=250)).correlation >= chosen.limit
    assert matcher.look(cloth(default_rng(8), side=250)).correlation < chosen.limit


def test_a_print_that_ordinary_pictures_show_too_is_not_chosen(suspicious: list[Tile]) -> None:
    fashionable = [printed(seed, side=250) for seed in range(300, 300 + MIN_ORDINARY)]
    assert choose_patches(suspicious, fashionable) == ()


def test_nothing_recurs_in_plain_cloth(ordinary: list[Image]) -> None:
    plain = [Tile(cloth(default_rng(seed)), SHARE) for seed in range(5)]
    assert choose_patches(plain, ordinary) == ()
    assert choose_patches([], ordinary) == ()


def test_without_ordinary_pictures_nothing_is_chosen(suspicious: list[Tile]) -> None:
    with pytest.raises(PatchError, match="0 ordinary pictures"):
        choose_patches(suspicious, [np.zeros((9, 9, 3), np.uint8)][:0])
