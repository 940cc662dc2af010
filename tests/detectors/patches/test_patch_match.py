"""A known patch is found in whole pictures of any size, and each patch gets its own limit."""

import cv2
import numpy as np
import pytest
from numpy.random import Generator, default_rng

from detectors.parsing import Image
from detectors.patches.patch_match import MIN_ORDINARY, PatchMatcher, limit_of
from detectors.patches.patches import Patch, PatchError

BLOCKS = default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
PIXELS = cv2.resize(BLOCKS, (32, 32), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
SHARE = 0.15
PATCH = Patch(PIXELS, SHARE)


def scene(random: Generator, size: tuple[int, int] = (300, 200)) -> Image:
    """Shapes of some colours: something to see, and nothing printed."""
    image = np.full((*size, 3), random.integers(60, 200, 3), np.uint8)
    for _ in range(12):
        x, y = (int(random.integers(end)) for end in (size[1], size[0]))
        colour = [int(value) for value in random.integers(0, 256, 3)]
        cv2.circle(image, (x, y), int(random.integers(8, 50)), colour, -1, cv2.LINE_AA)
    return image


def showing(image: Image, side: int, left: int, top: int, light: float = 1.0) -> Image:
    shown = image.copy()
    mark = cv2.resize(PIXELS, (side, side), interpolation=cv2.INTER_LINEAR)
    shown[top : top + side, left : left + side] = (mark * light).astype(np.uint8)
    return shown


@pytest.fixture(scope="module")
def ordinary() -> list[Image]:
    return [scene(default_rng(seed)) for seed in range(MIN_ORDINARY)]


@pytest.mark.parametrize("side", [24, 37, 60])
def test_a_patch_is_found_where_it_is_at_any_size_and_light(side: int) -> None:
    shown = showing(scene(default_rng(77)), side, left=90, top=140, light=0.7)
    match = PatchMatcher(PATCH).look(shown)
    assert match.correlation > 0.85
    assert (match.place.left, match.place.top) == pytest.approx((90, 140), abs=side / 4)
    assert match.place.right - match.place.left == pytest.approx(side, rel=0.25)


def test_a_picture_of_another_size_counts_by_shares() -> None:
    small = showing(scene(default_rng(5)), 37, left=90, top=140)
    large = cv2.resize(small, (1000, 1500), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    match = PatchMatcher(PATCH).look(large)
    assert match.correlation > 0.85
    assert match.place.left == pytest.approx(450, abs=60)


def test_the_limit_lies_between_chance_and_the_patch(ordinary: list[Image]) -> None:
    limit = limit_of(PATCH, ordinary)
    assert limit is not None
    matcher = PatchMatcher(PATCH)
    others = [matcher.look(scene(default_rng(seed))).correlation for seed in range(100, 130)]
    assert max(others) < limit
    assert matcher.look(showing(scene(default_rng(9)), 40, 30, 60)).correlation > limit


def test_what_ordinary_pictures_show_has_no_limit(ordinary: list[Image]) -> None:
    shown = [showing(image, 40, 20, 30) for image in ordinary]
    assert limit_of(PATCH, shown) is None
    # A few of them are enough: whoever is sent home then is not an attacker.
    assert limit_of(PATCH, [*shown[:5], *ordinary]) is None


def test_too_few_ordinary_pictures_say_nothing(ordinary: list[Image]) -> None:
    with pytest.raises(PatchError, match=r"29 ordinary pictures.*30 do"):
        limit_of(PATCH, ordinary[:-1])


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (40, 40)])
def test_pictures_of_any_size_can_be_looked_at(size: tuple[int, int]) -> None:
    image = default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    match = PatchMatcher(PATCH).look(image)
    assert -1 <= match.correlation < 0.9
    assert match.place.right <= size[1]
    assert match.place.bottom <= size[0]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_shows_nothing(value: int) -> None:
    image = np.full((300, 200, 3), value, np.uint8)
    assert PatchMatcher(PATCH).look(image).correlation < 0.1
