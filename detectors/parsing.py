"""What a segmenter returns."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from detectors.reductions import entropy_map

LabelMap = npt.NDArray[np.uint8]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Parsing:
    """One parsed picture.

    Attributes:
        probabilities: class probabilities ``(C, h, w)`` float32 at the segmenter's working size;
            any array that follows the Python array API (numpy, torch), so that reductions run
            where the data is. Sums to 1 over the first axis.
        label_map: ``(H, W)`` uint8 at the picture's own size, values below ``C``.
        labels: the ``C`` label names; index 0 is the background.
        persons: which person each pixel belongs to, ``(H, W)`` uint8, 0 for nobody, 1 for the
            person that the model is surest of; ``None`` if the model does not tell persons apart.
        translation: what detectors know each of the labels as, by the words of
            :mod:`detectors.parts`; ``None`` if they know the labels themselves.
    """

    probabilities: Any
    label_map: LabelMap
    labels: tuple[str, ...]
    persons: LabelMap | None = None
    translation: tuple[str, ...] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The ``C`` labels by names that detectors know."""
        return self.labels if self.translation is None else self.translation

    @cached_property
    def winners(self) -> Any:
        """The likeliest label of each pixel at the working size, ``(h, w)`` integers."""
        return array_namespace(self.probabilities).argmax(self.probabilities, axis=0)

    @cached_property
    def entropies(self) -> Any:
        """Pixel entropies at the working size, ``(h, w)`` in nats."""
        return entropy_map(self.probabilities)

    @cached_property
    def present(self) -> tuple[int, ...]:
        """Indices of the labels that the label map contains, background left out."""
        counts = cv2.calcHist([self.label_map], [0], None, [256], [0, 256])
        return tuple(int(label) for label in np.flatnonzero(counts) if label != 0)

    def present_labels(self) -> tuple[str, ...]:
        """Names of the labels that the label map contains, background left out."""
        return tuple(self.labels[label] for label in self.present)


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Class probabilities of a network's raw scores, over the first axis of both."""
    powers = np.exp(logits - logits.max(axis=0))
    return np.asarray(powers / powers.sum(axis=0), dtype=np.float32)
