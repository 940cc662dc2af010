"""Attackers who know the detector: their change has to hold when the picture is saved as JPEG.

The loss is raised on the picture and on the picture as JPEG of the qualities that the first look
draws from (expectation over transformation, Athalye et al., ICML 2018); the gradient passes JPEG
as if it were not there (backward pass differentiable approximation, the same paper).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from bench.detection.attacks.base import Goal, OwnAttack, Removal, Untargeted
from detectors.parsing import Image
from detectors.parts import PartGroup
from inference.ensemble.transforms import Jpeg
from inference.segmenters.reference.training.attacks import (
    Attackable,
    Loss,
    as_batch,
    as_image,
    clean_labels,
    removal_loss,
)

_STEPS, _MOMENTUM = 40, 0.7
_LOOK = Jpeg(lowest=70, highest=80)
_WEIGHT = 100.0


@dataclass(frozen=True)
class Aim:
    """What an adaptive attacker wants, within how many 8-bit levels.

    Attributes:
        part: the groups that should vanish; any change if empty.
    """

    epsilon: int
    part: tuple[PartGroup, ...] = ()

    @property
    def goal(self) -> Goal:
        """When it has succeeded."""
        return Removal(self.part) if self.part else Untargeted()

    def loss(self, segmenter: Attackable, image: Image) -> Loss:
        """What is raised."""
        if self.part:
            return removal_loss(segmenter, image, self.part, _WEIGHT)
        truth = clean_labels(segmenter, image)
        return lambda logits, _: torch.nn.functional.cross_entropy(logits, truth)


_AIMS = {
    "adaptive_pgd_e4": Aim(4),
    "adaptive_pgd_e8": Aim(8),
    "adaptive_face_e8": Aim(8, (PartGroup.FACE,)),
}


def adaptive_attacks() -> list[OwnAttack]:
    """Untargeted at two sizes, and a face."""
    return [
        OwnAttack(
            name=name,
            goal=aim.goal,
            craft=partial(_craft, aim=aim),
            settings=f"{aim} steps={_STEPS} momentum={_MOMENTUM} look={_LOOK}",
        )
        for name, aim in _AIMS.items()
    ]


def _craft(segmenter: Attackable, image: Image, seed: int, *, aim: Aim) -> Image:
    loss, clean, bound = aim.loss(segmenter, image), as_batch(image), aim.epsilon / 255
    random = np.random.default_rng(seed)
    change, direction = torch.zeros_like(clean), torch.zeros_like(clean)
    for count in range(_STEPS):
        progress = count / _STEPS
        change.requires_grad_()
        picture = (clean + change).clamp(0, 1)
        both = torch.cat([picture, _as_jpeg(picture, random)])
        logits = segmenter.logits(both)
        value = loss(logits[:1], progress) + loss(logits[1:], progress)
        (gradient,) = torch.autograd.grad(value, change)
        size = gradient.abs().mean().clamp_min(1e-20)
        direction = _MOMENTUM * direction + gradient / size
        step = bound / 4 * (1 - 0.8 * progress)
        change = (change.detach() + step * direction.sign()).clamp(-bound, bound)
    return as_image(clean + change.detach())


def _as_jpeg(picture: Tensor, random: np.random.Generator) -> Tensor:
    picture_again = as_batch(_LOOK.apply(as_image(picture.detach()), random))
    return picture + (picture_again - picture).detach()
