"""Signed gradient steps on whatever an attacker may choose: pixels, a coarse grid, a curve."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as fn

from bench.detection.attacks.base import Goal, Removal, Untargeted
from detectors.parsing import Image
from detectors.parts import PartGroup, group_indices
from inference.segmenters.reference.training.attacks import Attackable, as_batch

_MOMENTUM, _LAST_STEP = 0.7, 0.2
_PART_WEIGHT = 100.0
# Pixels that are wrong by far count no more.
_MAX_LOSS = 4.0
_BACKGROUND = 0


@dataclass(frozen=True)
class Aim:
    """What an attacker wants of a picture.

    Attributes:
        part: the groups that should vanish; any change of the foreground if empty.
    """

    part: tuple[PartGroup, ...] = ()

    @property
    def goal(self) -> Goal:
        """When it has succeeded."""
        return Removal(self.part) if self.part else Untargeted()

    def value(
        self, segmenter: Attackable, clean: Image, scale: float = 1.0
    ) -> Callable[[Tensor], Tensor]:
        """What is raised, of a picture ``(1, 3, H, W)`` in [0, 1] that is looked at in a scale."""
        with torch.no_grad():
            truth = segmenter.logits(as_batch(clean), scale).argmax(1)
        part = torch.isin(truth, torch.tensor(group_indices(segmenter.labels, self.part)))
        target = torch.where(part, torch.full_like(truth, _BACKGROUND), truth)
        weights = torch.where(part, _PART_WEIGHT, 1.0)
        foreground = truth != _BACKGROUND

        def value(picture: Tensor) -> Tensor:
            logits = segmenter.logits(picture, scale)
            if self.part:
                return -(fn.cross_entropy(logits, target, reduction="none") * weights).mean()
            losses = fn.cross_entropy(logits, truth, reduction="none").clamp_max(_MAX_LOSS)
            return losses[foreground].mean() if foreground.any() else losses.mean()

        return value


def climb(
    start: Tensor,
    value: Callable[[Tensor], Tensor],
    keep: Callable[[Tensor], Tensor],
    *,
    steps: int,
    step: float,
) -> Tensor:
    """Raise ``value`` by signed steps with momentum that become smaller.

    Args:
        keep: brings what is chosen back within its bounds.
    """
    chosen, velocity = start, torch.zeros_like(start)
    for number in range(steps):
        chosen = chosen.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(value(chosen), chosen)
        velocity = _MOMENTUM * velocity + gradient / gradient.abs().mean().clamp_min(1e-20)
        size = step * (1 - number / steps * (1 - _LAST_STEP))
        chosen = keep(chosen.detach() + size * velocity.sign())
    return chosen.detach()
