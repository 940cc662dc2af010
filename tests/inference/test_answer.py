"""How a parsing is encoded: label picture, masks, PNG."""

from dataclasses import replace
from io import BytesIO

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from detectors.palette import colour_of
from detectors.parsing import LabelMap, Parsing
from inference.answer.encode import label_masks, label_png, person_masks, png
from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS, Label

FIGURE = draw_figure(11, (96, 144))


def _parsing(label_map: LabelMap) -> Parsing:
    return Parsing(np.full((len(LABELS), 2, 2), 1 / len(LABELS), np.float32), label_map, LABELS)


@settings(max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 999))
def test_a_label_picture_holds_the_exact_label_map(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    label_map = random.integers(0, len(LABELS), (height, width)).astype(np.uint8)
    with Pillow.open(BytesIO(label_png(_parsing(label_map)))) as picture:
        assert np.array_equal(np.array(picture), label_map)
        assert picture.convert("RGB").getpixel((0, 0)) == colour_of(LABELS[label_map[0, 0]])


def test_masks_cover_each_label_once_with_area_and_box() -> None:
    label_map = np.zeros((20, 30), dtype=np.uint8)
    label_map[2:5, 10:14], label_map[8:9, 0:30] = Label.FACE, Label.COAT
    masks = label_masks(_parsing(label_map))
    coat, face = masks["coat"], masks["face"]
    assert list(masks) == ["coat", "face"]
    assert (coat.area, coat.box) == (30, (0, 8, 30, 1))
    assert (face.area, face.box) == (12, (10, 2, 4, 3))
    assert coat.size == face.size == (20, 30)


def test_persons_are_numbered_where_the_model_tells_them_apart() -> None:
    persons = np.zeros((20, 30), dtype=np.uint8)
    persons[2:5, 10:14], persons[8:9, 0:30] = 2, 1
    alone = _parsing(np.zeros((20, 30), dtype=np.uint8))
    masks = person_masks(replace(alone, persons=persons))
    assert masks is not None
    assert {number: mask.area for number, mask in masks.items()} == {1: 30, 2: 12}
    assert person_masks(alone) is None


def test_an_empty_parsing_has_no_masks() -> None:
    assert label_masks(_parsing(np.zeros((60, 40), dtype=np.uint8))) == {}


def test_a_png_is_lossless() -> None:
    with Pillow.open(BytesIO(png(FIGURE.image))) as picture:
        assert np.array_equal(np.array(picture), FIGURE.image)
