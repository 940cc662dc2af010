"""One more look, by a segmenter whose answers can be worked out by hand."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from numpy.random import default_rng

from detectors.parsing import Image, Parsing
from detectors.registry import FeatureVector
from inference.ensemble.first_look import PREFIX, FirstLook
from inference.figures import draw_figure
from inference.segmenters.reference.segmenter import ReferenceSegmenter


class Threshold:
    """Calls bright pixels a face; keeps what it was shown."""

    name, digest, labels = "threshold", "0" * 64, ("background", "face")

    def __init__(self) -> None:
        self.shown: list[Image] = []

    def parse(self, image: Image) -> Parsing:
        height, width = image.shape[:2]
        probabilities = self._see(image)
        label_map = cv2.resize(probabilities.argmax(axis=0).astype(np.uint8), (width, height))
        return Parsing(probabilities, np.asarray(label_map, dtype=np.uint8), self.labels)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        self.shown += pictures
        return [self._see(picture) for picture in pictures]

    def _see(self, image: Image) -> npt.NDArray[np.float32]:
        small = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)
        face = (small.mean(axis=2) > 128).astype(np.float32)
        return np.stack([1 - face, face])


def _half_bright(height: int = 64, width: int = 64) -> Image:
    picture = np.full((height, width, 3), 30, dtype=np.uint8)
    picture[: height // 2] = 220
    return picture


def _looked(segmenter: Threshold, image: Image, parsing: Parsing) -> dict[str, float]:
    return FirstLook().look(segmenter, image, parsing, default_rng(0)).features(PREFIX)


def test_a_look_is_one_picture_that_jpeg_changed() -> None:
    segmenter, noise = Threshold(), default_rng(1).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    _looked(segmenter, noise, segmenter.parse(noise))
    (shown,) = segmenter.shown
    assert shown.shape == noise.shape
    assert not np.array_equal(shown, noise)


def test_what_the_picture_shows_stays_under_jpeg() -> None:
    segmenter, picture = Threshold(), _half_bright()
    found = _looked(segmenter, picture, segmenter.parse(picture))
    FeatureVector.of(found)
    assert found["glance_tile_divergence"] == found["glance_returned_face_share"] == 0


def test_a_face_that_the_parse_lost_comes_back_with_its_place() -> None:
    """Whatever the size of the parse: the upper half of a picture of 600 by 200."""
    segmenter, picture = Threshold(), _half_bright(600, 200)
    nothing = np.stack([np.ones((8, 8)), np.zeros((8, 8))]).astype(np.float32)
    parsing = Parsing(nothing, np.zeros((600, 200), np.uint8), Threshold.labels)
    contrast = FirstLook().look(segmenter, picture, parsing, default_rng(0))
    assert contrast.features(PREFIX)["glance_returned_face_share"] == 1
    place = contrast.place_of("glance_returned_face_share", 600, 200)
    assert (place.left, place.top, place.right, place.bottom) == (0, 0, 200, 300)
    assert place.part == "face"


def test_a_large_picture_is_shrunk_before_it_is_changed() -> None:
    segmenter, picture = Threshold(), _half_bright(3000, 2000)
    _looked(segmenter, picture, segmenter.parse(picture))
    assert segmenter.shown[0].shape[0] * segmenter.shown[0].shape[1] < 560_000


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_a_picture_of_any_size_can_be_looked_at(size: tuple[int, int]) -> None:
    segmenter = Threshold()
    picture = default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    FeatureVector.of(_looked(segmenter, picture, segmenter.parse(picture)))


def test_the_shipped_segmenter_sees_a_drawn_figure_twice_alike(
    segmenter: ReferenceSegmenter,
) -> None:
    image = draw_figure(11, (96, 144)).image
    contrast = FirstLook().look(segmenter, image, segmenter.parse(image), default_rng(0))
    found = contrast.features(PREFIX)
    FeatureVector.of(found)
    assert found["glance_divergence"] < 0.1
