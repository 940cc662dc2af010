"""The reference segmenter at work."""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as fn

from detectors.parsing import Image, LabelMap, Parsing
from detectors.sizes import scaled_size
from inference.segmenters.base import ModelError
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.network import STRIDE, ReferenceNetwork, folded, normalised
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS, open_weights, weights_of
from inference.supply.trust import ANYONE, Trust
from inference.supply.verified import VerifiedModel

__all__ = ["DEFAULT_WEIGHTS", "ReferenceSegmenter"]

WORKING_PIXELS = 192 * 288
_LABEL_MAP_PIXELS = 300_000
_FLOAT_PIXELS = 1_000_000


class ReferenceSegmenter:
    """Wraps a trained network; see :class:`inference.segmenters.base.Segmenter`.

    A picture is resized to about 55,000 pixels with its proportions kept, since the network is
    fully convolutional: landscape and portrait pictures lose nothing to padding.
    """

    name = "reference"
    labels = LABELS

    def __init__(self, network: ReferenceNetwork, digest: str) -> None:
        self.digest = digest
        self._network = folded(network)

    @classmethod
    def load(cls, path: Path, trust: Trust = ANYONE) -> "ReferenceSegmenter":
        """Check and read trained weights.

        Raises:
            ModelError: the file is missing, damaged, not trusted or made for another network.
        """
        return cls.of(open_weights(path, trust))

    @classmethod
    def of(cls, model: VerifiedModel) -> "ReferenceSegmenter":
        """Read trained weights from a checked file.

        Raises:
            ModelError: the file is damaged or made for another network.
        """
        weights = weights_of(model)
        network = ReferenceNetwork(len(LABELS))
        try:
            network.load_state_dict(weights.tensors)
        except RuntimeError:
            raise ModelError(
                f"The model file {model.path} belongs to another version of the reference network: "
                "check MASKWATCH_MODEL or train it again."
            ) from None
        return cls(network, weights.digest)

    def parse(self, image: Image) -> Parsing:
        """Parse a picture; probabilities come at half the working size."""
        with torch.inference_mode():
            logits = self.logits(_to_tensor(image))
            probabilities = torch.softmax(logits, dim=1)[0].numpy()
            label_map = _label_map(logits, image.shape[0], image.shape[1])
        return Parsing(probabilities, label_map, self.labels)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        """All pictures in one batch, since they are small."""
        with torch.inference_mode():
            batch = torch.cat([_to_tensor(picture) for picture in pictures])
            found = torch.softmax(self.logits(batch, scale), dim=1)
        return list(found.numpy())

    def logits(self, pictures: Tensor, scale: float = 1.0) -> Tensor:
        """Logits ``(N, 15, h, w)`` of pictures ``(N, 3, H, W)`` float32 in [0, 1].

        The mean of what the network says of a picture and of its mirror image: no label has a
        side. Resizing and normalising are part of it, so that gradients reach the picture's own
        pixels.
        """
        pixels = round(WORKING_PIXELS * scale**2)
        size = working_size(pictures.shape[-1], pictures.shape[-2], pixels)
        small = fn.interpolate(pictures, size, mode="bilinear", antialias=True)
        found = self._network(normalised(torch.cat([small, small.flip(-1)])))
        straight, mirrored = found.chunk(2)
        logits: Tensor = (straight + mirrored.flip(-1)) / 2
        return logits


def working_size(width: int, height: int, pixels: int = WORKING_PIXELS) -> tuple[int, int]:
    """Height and width that the network sees: multiples of 16, about ``pixels`` in all."""
    scale = sqrt(pixels / (width * height))
    longest = pixels // (2 * STRIDE)
    sides = (min(longest, side * scale) for side in (height, width))
    rows, columns = (max(2 * STRIDE, round(side / STRIDE) * STRIDE) for side in sides)
    return rows, columns


def _to_tensor(image: Image) -> Tensor:
    """The picture as floats; a huge one is made smaller first, where a pixel takes one byte."""
    height, width = image.shape[:2]
    scale = sqrt(_FLOAT_PIXELS / (height * width))
    if scale < 1:
        size = scaled_size(height, width, scale)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float()[None] / 255


def _label_map(logits: Tensor, height: int, width: int) -> LabelMap:
    """The likeliest label of each pixel, found at a bounded size."""
    scale = min(1.0, sqrt(_LABEL_MAP_PIXELS / (height * width)))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    labels = _likeliest(logits[0].contiguous().numpy(), size)
    if scale < 1:
        whole = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        labels = whole.astype(np.uint8)
    return labels


def _likeliest(logits: npt.NDArray[np.float32], size: tuple[int, int]) -> LabelMap:
    """The label with the highest logit at each pixel of ``size`` = (width, height).

    Goes label by label, which touches less memory than all labels at once and is six times faster.
    """
    best = cv2.resize(logits[0], size, interpolation=cv2.INTER_LINEAR)
    labels = np.zeros(best.shape, dtype=np.uint8)
    for label, channel in enumerate(logits[1:], start=1):
        found = cv2.resize(channel, size, interpolation=cv2.INTER_LINEAR)
        labels = np.maximum(labels, (found > best) * np.uint8(label))
        best = np.maximum(best, found)
    return labels
