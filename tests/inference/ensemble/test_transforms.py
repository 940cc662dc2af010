"""Transforms change a picture a little, keep its size, and can be drawn again from a seed."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator, default_rng

from detectors.label_lists import mirror_labels
from detectors.parsing import Image
from inference.ensemble.transforms import (
    BitDepth,
    Jitter,
    Jpeg,
    Median,
    Mirror,
    Rescale,
    Transform,
)

LABELS = ("background", "Left-arm", "Right-arm", "Face")
ALL: tuple[Transform, ...] = (
    Jitter(),
    Jpeg(),
    Median(),
    BitDepth(),
    Rescale(),
    Mirror(mirror_labels(LABELS)),
)
every_transform = pytest.mark.parametrize("transform", ALL, ids=lambda each: each.name)


@pytest.fixture
def random() -> Generator:
    return default_rng(5)


def _smooth(height: int = 60, width: int = 40) -> Image:
    rows = np.linspace(40, 200, height)[:, None, None]
    columns = np.linspace(0, 40, width)[None, :, None]
    return np.asarray(rows + columns + np.array([0, 5, 10]), dtype=np.uint8)


@every_transform
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), height=st.integers(1, 40), width=st.integers(1, 40))
def test_size_and_type_stay_and_the_seed_decides(
    transform: Transform, seed: int, height: int, width: int
) -> None:
    picture = default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    before = picture.copy()
    changed = transform.apply(picture, default_rng(seed))
    assert changed.shape == picture.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(changed, transform.apply(picture, default_rng(seed)))
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("transform", ALL[:-1], ids=lambda each: each.name)
def test_a_smooth_picture_hardly_changes(transform: Transform, random: Generator) -> None:
    picture = _smooth()
    changed = transform.apply(picture, random)
    assert np.abs(changed.astype(int) - picture).mean() < 0.1 * picture.mean()
    assert np.array_equal(transform.undo(changed), changed)


@pytest.mark.parametrize(
    "transform", [Jitter(), Jpeg(), BitDepth(), Rescale()], ids=lambda t: t.name
)
def test_a_client_cannot_tell_which_change_comes_next(transform: Transform) -> None:
    picture = default_rng(0).integers(0, 256, (30, 20, 3)).astype(np.uint8)
    drawn = {transform.apply(picture, default_rng(seed)).tobytes() for seed in range(12)}
    assert len(drawn) >= 6


def test_jitter_scales_levels_by_at_most_a_tenth_each_way() -> None:
    grey = np.full((4, 4, 3), 100, dtype=np.uint8)
    levels = [int(Jitter().apply(grey, default_rng(seed))[0, 0, 0]) for seed in range(60)]
    assert 90 <= min(levels) < 94
    assert 106 < max(levels) <= 110


def test_jitter_blurs_about_three_in_ten() -> None:
    lines = np.zeros((8, 8, 3), dtype=np.uint8)
    lines[:, ::2] = 200
    looks = [Jitter().apply(lines, default_rng(seed))[:, 2:-2] for seed in range(200)]
    assert 40 <= sum(np.ptp(look) < 50 for look in looks) <= 80


def test_the_median_removes_single_pixels(random: Generator) -> None:
    picture = np.full((5, 5, 3), 50, dtype=np.uint8)
    picture[2, 2] = 255
    assert (Median().apply(picture, random) == 50).all()


def test_bit_depth_leaves_few_levels(random: Generator) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8)[None, :, None], (2, 1, 3))
    changed = BitDepth(bits=4).apply(ramp, random)
    assert len(np.unique(changed)) <= 17
    assert np.abs(changed.astype(int) - ramp).max() <= 9


def test_rescaling_takes_out_what_is_finer_than_the_smaller_picture(random: Generator) -> None:
    lines = np.zeros((40, 40, 3), dtype=np.uint8)
    lines[:, ::2] = 200
    assert Rescale().apply(lines, random).std() < 0.6 * lines.std()


def test_mirroring_twice_gives_the_picture_back(random: Generator) -> None:
    mirror, picture = Mirror(mirror_labels(LABELS)), _smooth()
    assert np.array_equal(mirror.apply(mirror.apply(picture, random), random), picture)


def _one_arm() -> npt.NDArray[np.float32]:
    """What a segmenter sees in a mirrored picture: a left arm at the right edge."""
    seen = np.zeros((4, 1, 3), dtype=np.float32)
    seen[1, 0, 2] = seen[0, 0, 0] = seen[3, 0, 1] = 1
    return seen


def test_a_mirrored_left_arm_is_a_right_arm_on_the_other_side() -> None:
    mirror = Mirror(mirror_labels(LABELS))
    for undone in (mirror.undo(_one_arm()), mirror.undo(torch.from_numpy(_one_arm())).numpy()):
        assert undone.argmax(axis=0).tolist() == [[2, 3, 0]]


def test_sides_are_found_however_they_are_written() -> None:
    assert mirror_labels(("left_shoe", "Right Shoe", "Left-leg", "Right-leg", "Hair")) == (
        1,
        0,
        3,
        2,
        4,
    )


def test_labels_without_a_counterpart_stay() -> None:
    assert mirror_labels(("background", "left_hand", "leftover")) == (0, 1, 2)
