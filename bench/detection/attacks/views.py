"""How a picture looks under the looks of the detector, for gradients.

Changes that have no gradient are passed as if they were not there (backward pass differentiable
approximation, Athalye et al., ICML 2018).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as fn

from detectors.parsing import Image
from inference.ensemble.transforms import Jitter, Jpeg, Median, Rescale
from inference.segmenters.reference.training.attacks import as_batch, as_image

_MAX_SHIFT_PIXELS = 4


@dataclass(frozen=True)
class Bilateral:
    """Smooths what is not an edge."""

    def apply(self, image: Image, random: Generator) -> Image:  # noqa: ARG002
        """Nine pixels wide, as a look was once tried."""
        return cv2.bilateralFilter(image, 9, 40, 5).astype(np.uint8)


_JPEG = Jpeg(lowest=70, highest=80)
_OTHERS = (Jitter(), Rescale(), Median(), Bilateral())


def see_as_jpeg(picture: Tensor, random: Generator) -> Tensor:
    """The picture as the first look sees it; gradients pass as if it were not changed."""
    return _pass_straight(picture, _JPEG.apply(as_image(picture), random))


@dataclass(frozen=True)
class View:
    """A picture ``(1, 3, H, W)`` as another look sees it, moved by some pixels."""

    picture: Tensor
    right: int = 0
    down: int = 0

    def undo(self, logits: Tensor) -> Tensor:
        """Bring logits ``(1, C, h, w)`` back into their place."""
        height, width = self.picture.shape[-2:]
        return _move(logits, -self.right / width, -self.down / height)


def draw_view(picture: Tensor, random: Generator) -> View:
    """One of the other looks; gradients pass those that have none of their own."""
    place = int(random.integers(len(_OTHERS) + 1))
    if place < len(_OTHERS):
        return View(_pass_straight(picture, _OTHERS[place].apply(as_image(picture), random)))
    right, down = (
        int(step) for step in random.integers(-_MAX_SHIFT_PIXELS, _MAX_SHIFT_PIXELS + 1, 2)
    )
    height, width = picture.shape[-2:]
    return View(_move(picture, right / width, down / height), right, down)


def _pass_straight(picture: Tensor, changed: Image) -> Tensor:
    return picture + (as_batch(changed) - picture).detach()


def _move(values: Tensor, right: float, down: float) -> Tensor:
    """Maps ``(N, C, h, w)`` moved by shares of their size; what comes in repeats the border."""
    place = torch.tensor([[[1.0, 0.0, -2 * right], [0.0, 1.0, -2 * down]]])
    grid = fn.affine_grid(place, [1, *values.shape[1:]], align_corners=False)
    return fn.grid_sample(values, grid, padding_mode="border", align_corners=False)
