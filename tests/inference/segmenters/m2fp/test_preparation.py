"""Sizes and values of the network's input, by hand."""

import numpy as np
import pytest
import torch

from inference.segmenters.m2fp.preparation import (
    Frame,
    frame_of_several,
    frame_of_single,
    prepare,
)


@pytest.mark.parametrize(
    ("size", "scale", "seen", "padded_size"),
    [
        ((640, 853), 1.0, (640, 853), (640, 864)),
        ((960, 540), 1.0, (1138, 640), (1152, 640)),
        ((1, 1), 1.0, (640, 640), (640, 640)),
        ((8, 12_000), 1.0, (1, 1333), (32, 1344)),
        ((640, 853), 0.4, (256, 341), (256, 352)),
    ],
)
def test_the_short_side_becomes_640_and_the_long_one_at_most_1333(
    size: tuple[int, int], scale: float, seen: tuple[int, int], padded_size: tuple[int, int]
) -> None:
    frame = frame_of_several(*size, scale)
    assert frame.size == seen
    assert frame.padded_size == padded_size


def test_a_picture_for_one_person_lies_in_the_middle() -> None:
    assert frame_of_single(946, 473, (473, 473), 1.0) == Frame((473, 236), (473, 473), 0, 118)


def test_a_small_picture_for_one_person_is_not_enlarged() -> None:
    frame = frame_of_single(100, 50, (473, 473), 1.0)
    assert frame.size == (100, 50)
    assert frame.padded_size == (480, 480)


def test_values_are_normalised_and_the_padding_is_zero() -> None:
    picture = np.full((20, 40, 3), 255, dtype=np.uint8)
    values = prepare(picture, Frame((20, 40), (20, 40)))
    assert values.shape == (1, 3, 32, 64)
    assert values.is_contiguous(memory_format=torch.channels_last)
    assert values[0, :, 5, 5].tolist() == pytest.approx([2.2489, 2.4286, 2.6400], abs=1e-3)
    assert not values[0, :, 20:].any()
    assert not values[0, :, :, 40:].any()


def test_the_sheet_of_one_person_is_grey() -> None:
    picture = np.zeros((10, 10, 3), dtype=np.uint8)
    values = prepare(picture, Frame((10, 10), (40, 40), 15, 15))
    assert values.shape == (1, 3, 64, 64)
    assert values[0, 0, 0, 0].item() == pytest.approx((128 - 123.675) / 58.395, abs=1e-4)
    assert values[0, 0, 20, 20].item() == pytest.approx(-123.675 / 58.395, abs=1e-4)
    assert values[0, 0, 50, 50].item() == 0
