"""PGD, SegPGD and CosPGD: signed gradient steps that change as many pixels as they can."""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as fn

from bench.detection.attacks.base import OwnAttack, Untargeted
from detectors.parsing import Image
from inference.segmenters.reference.training.attacks import (
    Attackable,
    Budget,
    ascend,
    clean_labels,
    pgd,
)

_STEPS = 20


def segpgd(segmenter: Attackable, image: Image, seed: int, *, budget: Budget) -> Image:
    """SegPGD (Gu et al., ECCV 2022): first the pixels that are still right, later all alike."""
    truth = clean_labels(segmenter, image)

    def loss(logits: Tensor, progress: float) -> Tensor:
        wrong = logits.argmax(1) != truth
        weight = torch.where(wrong, progress / 2, 1 - progress / 2)
        return (weight * fn.cross_entropy(logits, truth, reduction="none")).mean()

    return ascend(segmenter, image, loss, budget, seed)


def cospgd(segmenter: Attackable, image: Image, seed: int, *, budget: Budget) -> Image:
    """CosPGD (Agnihotri et al., ICML 2024): pixels count by how near they are to the truth."""
    truth = clean_labels(segmenter, image)

    def loss(logits: Tensor, _: float) -> Tensor:
        probabilities = logits.detach().softmax(1)
        right = probabilities.gather(1, truth[:, None])[:, 0]
        nearness = right / probabilities.norm(dim=1)  # cosine with the one-hot truth
        value: Tensor = (nearness * fn.cross_entropy(logits, truth, reduction="none")).mean()
        return value

    return ascend(segmenter, image, loss, budget, seed)


def _pgd(segmenter: Attackable, image: Image, seed: int, *, budget: Budget) -> Image:
    return pgd(segmenter, image, epsilon=budget.epsilon, steps=budget.steps, seed=seed)


def gradient_attacks() -> list[OwnAttack]:
    """All of the family, by the size of the change in 8-bit levels."""
    family = {"pgd": (_pgd, (1, 2, 4, 8)), "segpgd": (segpgd, (2, 4, 8))}
    family["cospgd"] = (cospgd, (2, 4, 8))
    return [
        OwnAttack(
            name=f"{name}_e{epsilon}",
            goal=Untargeted(),
            craft=partial(craft, budget=Budget(epsilon, _STEPS)),
            settings=f"epsilon={epsilon} steps={_STEPS}",
        )
        for name, (craft, sizes) in family.items()
        for epsilon in sizes
    ]
