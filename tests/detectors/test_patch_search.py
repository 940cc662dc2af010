"""A print that recurs on drawn cloth, at other sizes, turns and light each time."""

import cv2
import numpy as np
import pytest
from numpy.random import Generator, default_rng

from detectors.parsing import Image
from detectors.patch_search import best_correlation, nearest_distance, recurring_patch
from detectors.patch_signature import Signature

SIDE = 100


def cloth(random: Generator) -> Image:
    """Plain cloth with a stripe and a little noise."""
    tile = np.full((SIDE, SIDE, 3), random.integers(60, 200, 3), np.float64)
    column = int(random.integers(SIDE - 20))
    tile[:, column : column + 15] += random.integers(-50, 50, 3)
    return np.clip(tile + random.normal(0, 4, tile.shape), 0, 255).astype(np.uint8)


def printed(seed: int) -> Image:
    """Cloth with one and the same print: somewhere, turned, lit."""
    random = default_rng(seed)
    tile, side = cloth(random), int(random.integers(50, 68))
    blocks = default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    mark = cv2.resize(blocks, (side, side), interpolation=cv2.INTER_NEAREST)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), float(random.uniform(-9, 9)), 0.94)
    cover = cv2.warpAffine(np.ones((side, side), np.float32), turn, (side, side))[..., None]
    lit = cv2.warpAffine(mark, turn, (side, side)) * random.uniform(0.7, 1.0)
    top, left = (int(value) for value in random.integers(0, SIDE - side, 2))
    place = tile[top : top + side, left : left + side]
    place[:] = (place * (1 - cover) + lit * cover).astype(np.uint8)
    return tile


@pytest.fixture(scope="module")
def plain() -> list[Image]:
    return [cloth(default_rng(seed)) for seed in range(100, 105)]


def test_a_print_is_found_among_plain_tiles(plain: list[Image]) -> None:
    tiles = [plain[0], printed(1), plain[1], printed(2), printed(3), plain[2]]
    found = recurring_patch(tiles)
    assert found is not None
    assert found.members == (1, 3, 4)
    assert found.correlation > 0.86
    assert found.signature == Signature.of(found.patch)


def test_plain_tiles_and_too_few_prints_share_nothing(plain: list[Image]) -> None:
    assert recurring_patch(plain) is None
    assert recurring_patch([printed(1), printed(2), *plain[:2]]) is None
    assert recurring_patch([]) is None


def test_a_patch_and_its_signature_are_found_again(plain: list[Image]) -> None:
    found = recurring_patch([printed(seed) for seed in range(1, 4)])
    assert found is not None
    again, other = printed(9), plain[0]
    small = [cv2.resize(each, (64, 64)).astype(np.uint8) for each in (again, other)]
    assert best_correlation(found.patch, small[0]) > 0.86 > best_correlation(found.patch, small[1])
    near, far = (nearest_distance(found.signature, each) for each in (again, other))
    assert near < 0.2 < far


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (400, 3)])
def test_tiles_of_any_size_can_be_searched(size: tuple[int, int]) -> None:
    tile = default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    assert recurring_patch([tile, tile, tile], least_members=4) is None
    assert 0 <= nearest_distance(Signature.of(tile), tile) <= 1
