"""Attacks on our own segmenter, for the demo, the tests and the bench.

Every result is an 8-bit picture: what does not survive rounding is not an attack.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as fn

from detectors.parsing import Image
from detectors.parts import PartGroup, group_indices
from inference.segmenters.base import Segmenter

_BACKGROUND = 0
# Of logits ``(1, C, h, w)`` and the share of the steps that are done, in [0, 1).
Loss = Callable[[Tensor, float], Tensor]


class Attackable(Segmenter, Protocol):
    """A segmenter that lets gradients through."""

    def logits(self, pictures: Tensor, scale: float = 1.0) -> Tensor:
        """Logits ``(N, C, h, w)`` of pictures ``(N, 3, H, W)`` float32 in [0, 1].

        Args:
            scale: size that the network sees, over the one of a parse.
        """
        ...


@dataclass(frozen=True)
class Budget:
    """What a gradient attack may do.

    Attributes:
        epsilon: largest change of a value, in 8-bit levels.
        steps: gradient steps.
        momentum: share of the last direction in the next (Dong et al., CVPR 2018).
        last_step: size of the last step as a share of the first; it falls evenly.
    """

    epsilon: int
    steps: int
    momentum: float = 0.0
    last_step: float = 1.0


def pgd(segmenter: Attackable, image: Image, *, epsilon: int, steps: int, seed: int) -> Image:
    """Untargeted projected gradient descent (Madry et al., ICLR 2018).

    Args:
        image: RGB ``(H, W, 3)`` uint8, attacked at its own resolution.
        epsilon: largest change of a value, in 8-bit levels.
        steps: gradient steps.
        seed: of the random start.
    """
    truth = clean_labels(segmenter, image)

    def loss(logits: Tensor, _: float) -> Tensor:
        return fn.cross_entropy(logits, truth)

    return ascend(segmenter, image, loss, Budget(epsilon, steps), seed)


def remove_part(
    segmenter: Attackable,
    image: Image,
    groups: Sequence[PartGroup],
    *,
    epsilon: int,
    steps: int,
    seed: int,
) -> Image:
    """Targeted: pixels of the part groups become background, all others stay what they are."""
    loss = removal_loss(segmenter, image, groups)
    return ascend(segmenter, image, loss, Budget(epsilon, steps), seed)


def removal_loss(
    segmenter: Attackable, image: Image, groups: Sequence[PartGroup], weight: float = 5.0
) -> Loss:
    """Grows as the part becomes background; its pixels count ``weight`` times as much as others."""
    truth = clean_labels(segmenter, image)
    part = torch.isin(truth, torch.tensor(group_indices(segmenter.labels, groups)))
    target = torch.where(part, torch.full_like(truth, _BACKGROUND), truth)
    weights = torch.where(part, weight, 1.0)

    def loss(logits: Tensor, _: float) -> Tensor:
        return -(fn.cross_entropy(logits, target, reduction="none") * weights).mean()

    return loss


def square_search(
    image: Image,
    better: Callable[[Image], bool],
    *,
    epsilon: int,
    queries: int,
    seed: int,
) -> Iterator[Image]:
    """Query pictures of a random search over squares (Andriushchenko et al., ECCV 2020).

    Starts from vertical stripes; each further picture changes one square by ``±epsilon`` and is
    kept if ``better`` says so after it was asked.
    """
    random = np.random.default_rng(seed)
    height, width = image.shape[:2]
    stripes = random.choice((-epsilon, epsilon), size=(1, width, 3))
    change = np.broadcast_to(stripes, image.shape).copy()
    for query in range(queries):
        candidate = change.copy()
        side = max(1, round(min(height, width) * 0.4 * (1 - query / queries)))
        top, left = (int(random.integers(length - side + 1)) for length in (height, width))
        candidate[top : top + side, left : left + side] = random.choice((-epsilon, epsilon), 3)
        picture = np.clip(image.astype(np.int16) + candidate, 0, 255).astype(np.uint8)
        yield picture
        if better(picture):
            change = candidate


def changed_share(segmenter: Attackable, clean: Image, crafted: Image) -> float:
    """Share of the clean foreground whose label changed: an attack succeeds from 0.2 on."""
    before, after = segmenter.parse(clean).label_map, segmenter.parse(crafted).label_map
    foreground = before != _BACKGROUND
    return float((before != after)[foreground].mean()) if foreground.any() else 0.0


def clean_labels(segmenter: Attackable, image: Image) -> Tensor:
    """What the segmenter says of a picture: ``(1, h, w)`` int64 at the size of its logits."""
    with torch.inference_mode():
        labels = segmenter.logits(as_batch(image)).argmax(dim=1)
    return labels.clone()


def ascend(segmenter: Attackable, image: Image, loss: Loss, budget: Budget, seed: int) -> Image:
    """Signed gradient steps that raise ``loss``, kept within the budget; ``seed``: of the start."""
    clean, bound = as_batch(image), budget.epsilon / 255
    step = max(bound / 4, 1 / 255)
    start = torch.Generator().manual_seed(seed)
    change = (torch.rand(clean.shape, generator=start) * 2 - 1) * bound
    direction = torch.zeros_like(clean)
    for count in range(budget.steps):
        progress = count / budget.steps
        change.requires_grad_()
        logits = segmenter.logits((clean + change).clamp(0, 1))
        (gradient,) = torch.autograd.grad(loss(logits, progress), change)
        size = gradient.abs().mean().clamp_min(1e-20)
        direction = budget.momentum * direction + gradient / size
        now = step * (1 - progress * (1 - budget.last_step))
        change = (change.detach() + now * direction.sign()).clamp(-bound, bound)
    return as_image(clean + change.detach())


def as_batch(image: Image) -> Tensor:
    """A picture ``(H, W, 3)`` uint8 as ``(1, 3, H, W)`` float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float()[None] / 255


def as_image(batch: Tensor) -> Image:
    """The inverse of :func:`as_batch`; what lies outside [0, 1] is cut off."""
    levels = (batch.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels[0].permute(1, 2, 0).numpy())
