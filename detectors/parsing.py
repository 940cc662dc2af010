"""What a segmenter returns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

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
    """

    probabilities: Any
    label_map: LabelMap
    labels: tuple[str, ...]
    persons: LabelMap | None = None

    def present_labels(self) -> tuple[str, ...]:
        """Names of the labels that the label map contains, background left out."""
        return tuple(self.labels[i] for i in np.unique(self.label_map) if i != 0)
