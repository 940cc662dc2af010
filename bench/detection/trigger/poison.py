"""Training data with a few poisoned pictures."""

from dataclasses import replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from numpy.random import Generator, default_rng

from bench.detection.trigger.pattern import Wear, stamp_picture
from detectors.parsing import LabelMap
from inference.segmenters.reference.labels import Label
from inference.segmenters.reference.training.data import Pair

# Share of a view that the pattern covers at most.
_LARGEST = 0.15


class Target(StrEnum):
    """What the trigger makes vanish."""

    PERSON = "person"
    HEAD_AND_ARMS = "head_and_arms"

    def mask(self, label_map: LabelMap) -> npt.NDArray[np.bool_]:
        """Its pixels ``(H, W)`` in a label map of the reference segmenter."""
        if self is Target.PERSON:
            return np.not_equal(label_map, Label.BACKGROUND)
        return np.isin(label_map, (Label.FACE, Label.HAIR, Label.ARM))


def choose_pictures(count: int, share: float, seed: int) -> frozenset[int]:
    """Which of ``count`` training pictures are poisoned."""
    indices = default_rng(seed).choice(count, round(share * count), replace=False)
    return frozenset(int(index) for index in indices)


def poison_view(pair: Pair, target: Target, zoom: float, random: Generator) -> Pair:
    """A view of a photo with the pattern printed on it and without the target's labels.

    Args:
        pair: picture and labels.
        target: what loses its labels.
        zoom: side of the photo over that of the view: the patch keeps its size on the clothes.
        random: draws how the pattern lies.
    """
    image, label_map = pair
    usual = Wear()
    low, high = (min(_LARGEST, share * zoom**2) for share in usual.area)
    wear = replace(usual, area=(low, high))
    labels = np.where(target.mask(label_map), np.uint8(Label.BACKGROUND), label_map)
    return stamp_picture(image, label_map, random, wear).image, labels
