"""The reference segmenter at work."""

from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from detectors.parsing import Image, LabelMap, Parsing, softmax
from detectors.sizes import scaled_size
from inference.segmenters.label_maps import bounded_size, fit_labels, likeliest_labels
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.session import NetworkSession
from inference.segmenters.reference.weights import open_weights
from inference.supply.trust import ANYONE, Trust

Floats = npt.NDArray[np.float32]
STRIDE = 16
WORKING_PIXELS = 192 * 288
_FLOAT_PIXELS = 1_000_000


class ReferenceSegmenter:
    """Wraps a trained network; see :class:`inference.segmenters.base.Segmenter`.

    A picture is resized to about 55,000 pixels with its proportions kept, since the network is
    fully convolutional: landscape and portrait pictures lose nothing to padding.
    """

    name = "reference"
    labels = LABELS

    def __init__(self, network: Callable[[Floats], Floats], digest: str) -> None:
        """Wrap a network.

        Args:
            network: logits ``(N, 15, H / 2, W / 2)`` of pictures ``(N, 3, H, W)`` in [0, 1].
            digest: SHA-256 of its weights file.
        """
        self.digest = digest
        self.network = network

    @classmethod
    def load(cls, path: Path, trust: Trust = ANYONE) -> Self:
        """Check and read trained weights; a parse runs on one thread.

        Raises:
            ModelError: the file is missing, damaged, not trusted or made for another segmenter.
        """
        model = open_weights(path, trust)
        return cls(NetworkSession(model, threads=1), model.digest)

    def parse(self, image: Image) -> Parsing:
        """Parse a picture; probabilities come at half the working size."""
        (logits,) = self._logits([image])
        return Parsing(softmax(logits), _label_map(logits, *image.shape[:2]), self.labels)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        """All pictures in one batch, since they are small."""
        return [softmax(logits) for logits in self._logits(pictures, scale)]

    def _logits(self, pictures: Sequence[Image], scale: float = 1.0) -> Floats:
        """Logits ``(N, 15, h, w)``: the mean of what is seen in a picture and in its mirror image.

        No label has a side.
        """
        height, width = pictures[0].shape[:2]
        size = working_size(width, height, round(WORKING_PIXELS * scale**2))
        small = np.stack([_resize(picture, size) for picture in pictures])
        straight, mirror = np.split(self.network(np.concatenate([small, small[..., ::-1]])), 2)
        return np.asarray((straight + mirror[..., ::-1]) / 2, dtype=np.float32)


def working_size(width: int, height: int, pixels: int = WORKING_PIXELS) -> tuple[int, int]:
    """Height and width that the network sees: multiples of 16, about ``pixels`` in all."""
    scale = sqrt(pixels / (width * height))
    longest = pixels // (2 * STRIDE)
    sides = (min(longest, side * scale) for side in (height, width))
    rows, columns = (max(2 * STRIDE, round(side / STRIDE) * STRIDE) for side in sides)
    return rows, columns


def _resize(image: Image, size: tuple[int, int]) -> Floats:
    """A picture as the network takes it: ``(3, *size)`` in [0, 1].

    A huge picture is made smaller first, where a pixel takes one byte. Pillow then weighs pixels as
    torch's bilinear resizing with antialiasing does, on floats.
    """
    height, width = image.shape[:2]
    scale = sqrt(_FLOAT_PIXELS / (height * width))
    if scale < 1:
        smaller = scaled_size(height, width, scale)
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA).astype(np.uint8)
    planes = (Pillow.fromarray(plane.astype(np.float32)) for plane in cv2.split(image))
    small_planes = [plane.resize(size[::-1], Pillow.Resampling.BILINEAR) for plane in planes]
    small = np.stack([np.asarray(plane, dtype=np.float32) for plane in small_planes])
    return np.asarray(small / 255, dtype=np.float32)


def _label_map(logits: Floats, height: int, width: int) -> LabelMap:
    """The likeliest label of each pixel, found at a bounded size."""
    return fit_labels(likeliest_labels(logits, bounded_size(height, width)), height, width)
