"""One perturbation for every picture (Moosavi-Dezfooli et al., CVPR 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as fn

from bench.detection.attacks.base import Craft, Perturbation, Trainer, Untargeted
from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import (
    Attackable,
    as_batch,
    as_image,
    clean_labels,
)

_GRID = (288, 192)  # rows and columns: what the network sees of a portrait photo
_BACKGROUND = 0
_TRAINING_SEED = 5


@dataclass(frozen=True)
class Universal:
    """A perturbation on a fixed grid, stretched to each picture and cut to ``epsilon`` levels.

    Trained at the pictures' own sizes through the same stretching, by signed steps that raise the
    loss on the clean foreground of one photo after the other.

    Attributes:
        epsilon: largest change of a value, in 8-bit levels.
        fit_photos: how many photos it learns from.
        rounds: how often it sees each.
        grid: rows and columns of the perturbation; few of them make it of low frequency.
    """

    epsilon: int = 8
    fit_photos: int = 40
    rounds: int = 6
    grid: tuple[int, int] = _GRID
    name: str = "universal"
    version: int = 1
    goal: Untargeted = field(default_factory=Untargeted)

    @property
    def settings(self) -> str:
        """All of them."""
        return (
            f"epsilon={self.epsilon} photos={self.fit_photos} rounds={self.rounds} grid={self.grid}"
        )

    def prepare_craft(self, segmenter: Attackable, trainer: Trainer) -> Craft:
        """Learns the perturbation, unless the trainer has it already."""

        def train() -> Perturbation:
            return self._train(segmenter, trainer.fit_photos(self.fit_photos))

        settings = f"{self.settings} version={self.version}"
        return partial(self._apply, trainer.once(self.name, settings, train))

    def _train(self, segmenter: Attackable, images: Sequence[Image]) -> Perturbation:
        bound = self.epsilon / 255
        random = np.random.default_rng(_TRAINING_SEED)
        start = random.uniform(-bound, bound, (1, 3, *self.grid)).astype(np.float32)
        change = torch.from_numpy(start)
        truths = [clean_labels(segmenter, image) for image in images]
        for round_number in range(self.rounds):
            step = bound / 4 / (round_number + 1)
            for place in random.permutation(len(images)):
                gradient = _gradient(segmenter, images[place], truths[place], change)
                change = (change + step * gradient.sign()).clamp(-bound, bound)
        return change.numpy()

    def _apply(
        self, perturbation: Perturbation, segmenter: Attackable, image: Image, seed: int
    ) -> Image:
        _ = segmenter, seed  # the same for every picture
        clean = as_batch(image)
        return as_image(clean + stretch_change(torch.from_numpy(perturbation), clean))


def low_frequency_universal() -> Universal:
    """The same with a coarse grid of colours."""
    return Universal(grid=(32, 32), name="universal_low_frequency")


def stretch_change(change: Tensor, clean: Tensor) -> Tensor:
    """The perturbation at the picture's size; no value grows by it."""
    return fn.interpolate(change, clean.shape[-2:], mode="bilinear")


def _gradient(segmenter: Attackable, image: Image, truth: Tensor, change: Tensor) -> Tensor:
    variable = change.clone().requires_grad_()
    clean = as_batch(image)
    logits = segmenter.logits((clean + stretch_change(variable, clean)).clamp(0, 1))
    losses = fn.cross_entropy(logits, truth, reduction="none")
    foreground = truth != _BACKGROUND
    value = losses[foreground].mean() if foreground.any() else losses.mean()
    (gradient,) = torch.autograd.grad(value, variable)
    return gradient
