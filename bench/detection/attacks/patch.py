"""A square of any colours at a random place (Brown et al., 2017), made for one picture.

A patch for one picture is stronger than one for all of them at the same number of steps. It is
trained over small shifts and changes of brightness, so that it does not hang on single pixels.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as fn

from bench.detection.attacks.base import OwnAttack, Untargeted
from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import (
    Attackable,
    as_batch,
    as_image,
    clean_labels,
)

_STEPS = 60
_AREA = 0.02
_STEP = 16 / 255
_SHIFT_PIXELS = 2
_BRIGHTNESS = 0.1
_MOMENTUM = 0.8
_BACKGROUND = 0


@dataclass(frozen=True)
class Place:
    """The upper left corner of a patch and its side, in pixels."""

    top: int
    left: int
    side: int


def patch_attack() -> OwnAttack:
    """The attack with the protocol's area."""
    return OwnAttack(
        name="patch",
        goal=Untargeted(),
        craft=craft_patch,
        settings=f"area={_AREA} steps={_STEPS} shift={_SHIFT_PIXELS} brightness={_BRIGHTNESS}",
    )


def place_of(image: Image, seed: int) -> Place:
    """Where the patch of a seed lies, with room for its shifts."""
    height, width = image.shape[:2]
    side = min(round(sqrt(height * width * _AREA)), min(height, width) - 2 * _SHIFT_PIXELS)
    random = np.random.default_rng(seed)
    top, left = (
        int(random.integers(_SHIFT_PIXELS, length - side - _SHIFT_PIXELS + 1))
        for length in (height, width)
    )
    return Place(top, left, side)


def craft_patch(segmenter: Attackable, image: Image, seed: int) -> Image:
    """Signed steps with momentum and a falling step size."""
    clean, truth, place = as_batch(image), clean_labels(segmenter, image), place_of(image, seed)
    random = np.random.default_rng(seed + 1)
    start = random.random((1, 3, place.side, place.side), dtype=np.float32)
    patch, velocity = torch.from_numpy(start), torch.zeros(1)
    for step_number in range(_STEPS):
        patch.requires_grad_()
        logits = segmenter.logits(_vary_patch(clean, patch, place, random))
        (gradient,) = torch.autograd.grad(_loss(logits, truth), patch)
        velocity = _MOMENTUM * velocity + gradient / gradient.abs().mean().clamp_min(1e-12)
        step = _STEP * (1 - step_number / _STEPS)
        patch = (patch.detach() + step * velocity.sign()).clamp(0, 1)
    return as_image(_paste_patch(clean, patch, place))


def _loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of the clean foreground; pixels that are wrong by far count no more."""
    losses = fn.cross_entropy(logits, truth, reduction="none").clamp_max(4)
    foreground = truth != _BACKGROUND
    value: Tensor = losses[foreground].mean() if foreground.any() else losses.mean()
    return value


def _vary_patch(clean: Tensor, patch: Tensor, place: Place, random: np.random.Generator) -> Tensor:
    """The picture with its patch, a little aside and a little brighter or darker."""
    down, right = (int(step) for step in random.integers(-_SHIFT_PIXELS, _SHIFT_PIXELS + 1, 2))
    aside = Place(place.top + down, place.left + right, place.side)
    brightness = 1 + float(random.uniform(-_BRIGHTNESS, _BRIGHTNESS))
    return (_paste_patch(clean, patch, aside) * brightness).clamp(0, 1)


def _paste_patch(clean: Tensor, patch: Tensor, place: Place) -> Tensor:
    whole = clean.clone()
    rows = slice(place.top, place.top + place.side)
    whole[..., rows, place.left : place.left + place.side] = patch
    return whole
