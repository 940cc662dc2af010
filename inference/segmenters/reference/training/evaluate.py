"""How well a segmenter parses labelled photos."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inference.segmenters.base import Segmenter
from inference.segmenters.reference.labels import Label
from inference.segmenters.reference.training.data import Sample

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Accuracy:
    """Intersection over union per label, over all pixels of all pictures at their own size."""

    iou: dict[str, float]

    @property
    def mean_iou(self) -> float:
        """Mean over the labels, background included."""
        return float(np.mean(list(self.iou.values())))

    @property
    def face_iou(self) -> float:
        """The face's IoU: what attackers of a parsing service are after."""
        return self.iou[Label.FACE.name.lower()]


def evaluate(segmenter: Segmenter, samples: Iterable[Sample]) -> Accuracy:
    """Parse every sample and compare."""
    classes = len(segmenter.labels)
    confusion = np.zeros((classes, classes), dtype=np.int64)
    for sample in samples:
        confusion += _confusion(sample.label_map, segmenter.parse(sample.image).label_map, classes)
    hits = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - hits
    iou = hits / np.maximum(union, 1)
    return Accuracy({name: float(v) for name, v in zip(segmenter.labels, iou, strict=True)})


def _confusion(
    truth: npt.NDArray[np.uint8], prediction: npt.NDArray[np.uint8], classes: int
) -> Counts:
    pairs = truth.astype(np.int64) * classes + prediction
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)
