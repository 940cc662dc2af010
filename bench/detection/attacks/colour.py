"""A colour filter: a smooth tone curve for each channel and a mix of the channels, near none.

Nothing is finer than a filter of a camera application, so that no look at details can tell. After
Laidlaw & Feizi, Functional Adversarial Attacks (NeurIPS 2019).
"""

import torch
from torch import Tensor
from torch.nn import functional as fn

from bench.detection.attacks.base import OwnAttack
from bench.detection.attacks.climb import Aim, climb
from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import Attackable, as_batch, as_image

_STEPS = 60
# A curve of eight knots that may each move by as much, and how far the mix may be from none.
_KNOTS, _MAX_SHIFT, _MAX_MIX = 8, 0.1, 0.1
_SIZE = (3, _KNOTS + 3)


def colour_attack() -> OwnAttack:
    """Optimised on the picture."""
    return OwnAttack(
        name="colour_filter",
        goal=Aim().goal,
        craft=_craft,
        settings=f"steps={_STEPS} knots={_KNOTS} shift={_MAX_SHIFT} mix={_MAX_MIX}",
    )


def filter_colours(picture: Tensor, choice: Tensor) -> Tensor:
    """Apply the filter ``(3, 11)`` in [-1, 1] to a picture ``(1, 3, H, W)`` in [0, 1]."""
    shifts, mix = choice[:, :_KNOTS] * _MAX_SHIFT, choice[:, _KNOTS:] * _MAX_MIX
    mixed = torch.einsum("dc,nchw->ndhw", torch.eye(3) + mix - mix.mean(1, keepdim=True), picture)
    levels = mixed.clamp(0, 1)
    curves = fn.interpolate(shifts[None], 256, mode="linear", align_corners=True)[0]
    places = levels * 255
    low = places.detach().floor().clamp_max(254).long()
    share = places - low
    channel = torch.arange(3)[None, :, None, None]
    shift = curves[channel, low] * (1 - share) + curves[channel, low + 1] * share
    return (levels + shift).clamp(0, 1)


def draw_filter(seed: int) -> Tensor:
    """A filter of the same bounds that nobody chose."""
    return torch.rand(_SIZE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def _craft(segmenter: Attackable, image: Image, seed: int) -> Image:
    clean, value = as_batch(image), Aim().value(segmenter, image)

    def value_of(choice: Tensor) -> Tensor:
        return value(filter_colours(clean, choice))

    start = draw_filter(seed) / 4
    choice = climb(start, value_of, lambda each: each.clamp(-1, 1), steps=_STEPS, step=0.2)
    return as_image(filter_colours(clean, choice))
