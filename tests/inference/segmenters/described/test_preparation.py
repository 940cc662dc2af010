"""Pictures as a description wants them: sizes, channels, numbers."""

import numpy as np
import pytest

from detectors.parsing import Image
from inference.segmenters.described.description import InputForm
from inference.segmenters.described.preparation import choose_size, prepare_picture


def _form(**more: object) -> InputForm:
    return InputForm.model_validate({"size": [32, 16], **more})


def _picture() -> Image:
    return np.full((20, 30, 3), (255, 102, 0), dtype=np.uint8)


def test_every_picture_is_stretched_to_a_fixed_size() -> None:
    assert choose_size(9, 400, _form()) == choose_size(500, 3, _form(), 0.5) == (32, 16)


@pytest.mark.parametrize(
    ("picture", "scale", "size"),
    [
        ((900, 600), 1.0, (641, 433)),
        ((600, 900), 1.0, (433, 641)),
        ((900, 600), 0.5, (321, 209)),
        ((12_000, 8), 1.0, (641, 17)),
        ((1, 1), 1.0, (641, 641)),
    ],
)
def test_sides_are_a_multiple_of_the_stride_and_the_offset(
    picture: tuple[int, int], scale: float, size: tuple[int, int]
) -> None:
    form = _form(size=None, long_side=640, stride=16, offset=1)
    assert choose_size(*picture, form, scale) == size


def test_channels_are_in_the_order_of_the_layout_and_the_colours() -> None:
    planes = prepare_picture(_picture(), _form())
    assert planes.shape == (1, 3, 16, 32)
    assert planes[0, :, 0, 0].tolist() == pytest.approx([1, 0.4, 0], abs=1e-6)
    pixels = prepare_picture(_picture(), _form(layout="nhwc", colours="bgr"))
    assert pixels.shape == (1, 16, 32, 3)
    assert pixels[0, 0, 0].tolist() == pytest.approx([0, 0.4, 1], abs=1e-6)


def test_mean_is_taken_away_and_deviation_divides() -> None:
    values = prepare_picture(_picture(), _form(mean=[0.5, 0.4, 0], deviation=[0.25, 1, 2]))
    assert values[0, :, 0, 0].tolist() == pytest.approx([2, 0, 0], abs=1e-6)
    bytes_ = prepare_picture(_picture(), _form(white=255, mean=[127.5] * 3, deviation=[127.5] * 3))
    assert bytes_[0, :, 0, 0].tolist() == pytest.approx([1, -0.2, -1], abs=1e-6)


@pytest.mark.parametrize("kind", ["float32", "float16", "uint8"])
def test_numbers_have_the_type_that_is_asked_for(kind: str) -> None:
    white = 255 if kind == "uint8" else 1
    values = prepare_picture(_picture(), _form(type=kind, white=white))
    assert values.dtype == kind
    assert values.max() == white
    assert values.flags.c_contiguous


def test_the_picture_stays_as_it_is() -> None:
    picture = _picture()
    picture.flags.writeable = False
    prepare_picture(picture, _form(size=[30, 20], type="uint8", white=255, colours="bgr"))
    assert np.array_equal(picture, _picture())
