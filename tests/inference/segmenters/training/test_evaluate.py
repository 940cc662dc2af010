"""Intersection over union, by hand on four-pixel pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from detectors.parsing import Image, LabelMap, Parsing
from inference.segmenters.reference.training.data import Sample
from inference.segmenters.reference.training.evaluate import Accuracy, evaluate

LABELS = ("background", "face", "arm")


class Recorded:
    """Answers with the label map that the picture's first channel holds."""

    name, digest, labels = "recorded", "0" * 64, LABELS

    def parse(self, image: Image) -> Parsing:
        label_map: LabelMap = image[..., 0]
        return Parsing(np.eye(3, dtype=np.float32)[label_map], label_map, LABELS)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        raise NotImplementedError


def _sample(truth: list[int], found: list[int]) -> Sample:
    answer = np.array([found], dtype=np.uint8)
    return Sample("one", np.repeat(answer[..., None], 3, axis=2), np.array([truth], dtype=np.uint8))


def _accuracy(*samples: Sample) -> Accuracy:
    return evaluate(Recorded(), samples)


def test_a_perfect_answer_scores_one() -> None:
    accuracy = _accuracy(_sample([0, 1, 2, 2], [0, 1, 2, 2]))
    assert accuracy.iou == {"background": 1, "face": 1, "arm": 1}
    assert accuracy.mean_iou == accuracy.face_iou == 1


def test_a_wrong_pixel_costs_both_labels() -> None:
    accuracy = _accuracy(_sample([0, 0, 1, 1], [0, 0, 1, 2]))
    assert accuracy.iou == {"background": 1, "face": 0.5, "arm": 0}
    assert accuracy.mean_iou == pytest.approx(0.5)


def test_pixels_are_pooled_over_all_pictures() -> None:
    accuracy = _accuracy(_sample([1] * 8, [1] * 8), _sample([1, 1], [2, 0]))
    assert accuracy.face_iou == 0.8


def test_pictures_may_differ_in_size_and_nothing_is_rescaled() -> None:
    accuracy = _accuracy(_sample([0], [0]), _sample([0, 0, 1], [0, 0, 1]))
    assert accuracy.iou["background"] == accuracy.iou["face"] == 1


def test_without_pictures_nothing_was_parsed_well() -> None:
    assert _accuracy().mean_iou == 0
