"""The reference segmenter on torch, for gradients: training, attacks and measurements."""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as fn

from inference.segmenters.reference.segmenter import (
    WORKING_PIXELS,
    Floats,
    ReferenceSegmenter,
    working_size,
)
from inference.segmenters.reference.training.export import network_of
from inference.segmenters.reference.training.network import (
    ReferenceNetwork,
    fold_network,
    normalise,
)
from inference.segmenters.reference.weights import open_weights
from inference.supply.trust import ANYONE, Trust


class TorchSegmenter(ReferenceSegmenter):
    """Answers like the reference segmenter of the same file, and lets gradients through."""

    def __init__(self, network: ReferenceNetwork, digest: str) -> None:
        self._torch_network = fold_network(network)
        super().__init__(self._run, digest)

    @classmethod
    def load(cls, path: Path, trust: Trust = ANYONE) -> Self:
        """Check and read trained weights.

        Raises:
            ModelError: the file is missing, damaged, not trusted or made for another network.
        """
        model = open_weights(path, trust)
        return cls(network_of(model), model.digest)

    def logits(self, pictures: Tensor, scale: float = 1.0) -> Tensor:
        """Logits ``(N, 15, h, w)`` of pictures ``(N, 3, H, W)`` float32 in [0, 1].

        The same as a parse sees, with resizing and normalising as a part of it, so that gradients
        reach the picture's own pixels.
        """
        pixels = round(WORKING_PIXELS * scale**2)
        size = working_size(pictures.shape[-1], pictures.shape[-2], pixels)
        small = fn.interpolate(pictures, size, mode="bilinear", antialias=True)
        pair = self._torch_network(normalise(torch.cat([small, small.flip(-1)])))
        straight, mirror = pair.chunk(2)
        logits: Tensor = (straight + mirror.flip(-1)) / 2
        return logits

    def _run(self, pictures: Floats) -> Floats:
        with torch.inference_mode():
            logits = self._torch_network(normalise(torch.from_numpy(pictures)))
        return np.asarray(logits.numpy(), dtype=np.float32)


def use_one_thread() -> None:
    """Let torch work on one thread, in the whole process."""
    torch.set_num_threads(1)
