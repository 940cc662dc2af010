"""A patch that recurs is found among plain tiles, and copies of one picture count once."""

import cv2
import numpy as np
import pytest
from numpy.random import default_rng

from detectors.parsing import Image
from detectors.patches.patch_search import different_pictures, recurring_patches
from detectors.patches.patches import Tile
from tests.detectors.patch_pictures import SIDE, cloth, printed


@pytest.fixture(scope="module")
def plain() -> list[Image]:
    return [cloth(default_rng(seed)) for seed in range(100, 105)]


def tiles(*pixels: Image, share: float = 0.4) -> list[Tile]:
    return [Tile(each, share) for each in pixels]


def test_a_print_is_found_among_plain_tiles(plain: list[Image]) -> None:
    found = recurring_patches(
        tiles(plain[0], printed(1), plain[1], printed(2), printed(3), plain[2])
    )
    assert found[0].members == (1, 3, 4)
    assert found[0].correlation > 0.86
    side = found[0].patch.pixels.shape[0]
    assert found[0].patch.share == pytest.approx(0.4 * side / 64)


def test_those_of_most_tiles_come_first(plain: list[Image]) -> None:
    found = recurring_patches(tiles(*(printed(seed) for seed in range(1, 6)), *plain))
    counts = [len(each.members) for each in found]
    assert counts == sorted(counts, reverse=True)
    assert set(found[0].members) <= set(range(5))


def test_plain_tiles_and_too_few_prints_share_nothing(plain: list[Image]) -> None:
    assert recurring_patches(tiles(*plain)) == ()
    assert recurring_patches(tiles(printed(1), printed(2), *plain[:2])) == ()
    assert recurring_patches([]) == ()


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (400, 3)])
def test_tiles_of_any_size_can_be_searched(size: tuple[int, int]) -> None:
    tile = default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    assert recurring_patches(tiles(tile, tile, tile), min_members=4) == ()


def test_copies_of_a_picture_count_once(plain: list[Image]) -> None:
    dim = (plain[0] * 0.8).astype(np.uint8)
    small = cv2.resize(plain[0], (SIDE // 2, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert different_pictures([plain[0], dim, plain[1], small, printed(1)]) == (0, 2, 4)
