"""Attackers who know the detector: looks and limits, but not the key that draws the looks.

The loss is raised on the picture, on the picture as JPEG as the first look sees it, and on one more
look that is drawn anew in each step (expectation over transformation, Athalye et al., ICML 2018);
gradients pass a change that has none as if it were not there (backward pass differentiable
approximation, the same paper). What moves between two looks is found, so that every look shall see
the same wrong labels: those that come second in the clean picture, over all looks. Where the parse
still moves most under JPEG is a part of the loss, for that is what the first look measures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as fn

from bench.detection.attacks.base import Goal, OwnAttack, Removal, Untargeted
from bench.detection.attacks.known_detector import Judgement, KnownDetector
from bench.detection.attacks.views import View, draw_view, see_as_jpeg
from detectors.parsing import Image
from detectors.parts import PartGroup, group_indices
from inference.segmenters.reference.training.attacks import Attackable, as_batch, as_image

_STEPS, _CHECK_EVERY, _MOMENTUM = 200, 5, 0.7
# Steps become smaller over the first ones, down to a share of the first.
_SETTLING_STEPS, _LAST_STEP = 50, 0.2
# Steps without a better picture after which the attacker gives up.
_PATIENCE = 40
_STARTING_LOOKS = 6
_TORN_WEIGHT = 10.0
_TILE_SIDE = 8
# Of the foreground, the pixels that change most easily; the goal asks for 0.2.
_AIMED_SHARE = 0.35
_BACKGROUND = 0


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


_AIMS = {
    **{f"adaptive_pgd_e{epsilon}": Aim(epsilon) for epsilon in (1, 2, 4, 8)},
    **{f"adaptive_face_e{epsilon}": Aim(epsilon, (PartGroup.FACE,)) for epsilon in (2, 4, 8)},
}


def adaptive_attacks() -> list[OwnAttack]:
    """Untargeted and a face, by the size of the change in 8-bit levels."""
    return [
        OwnAttack(
            name=name,
            goal=aim.goal,
            craft=partial(_craft, aim=aim),
            settings=f"{aim} steps={_STEPS} every={_CHECK_EVERY} patience={_PATIENCE} "
            f"settling={_SETTLING_STEPS} last={_LAST_STEP} momentum={_MOMENTUM} "
            f"torn={_TORN_WEIGHT} aimed={_AIMED_SHARE}",
            version=3,
        )
        for name, aim in _AIMS.items()
    ]


@dataclass(frozen=True, eq=False)
class WrongLabels:
    """What every look shall see.

    Attributes:
        target: label of each pixel at the size of the logits, ``(1, h, w)``.
        changed: where it is not what the clean picture shows.
    """

    target: Tensor
    changed: Tensor

    @classmethod
    def of(cls, segmenter: Attackable, image: Image, aim: Aim, random: Generator) -> "WrongLabels":
        """The likeliest of the other labels, where they come nearest."""
        with torch.no_grad():
            logits = _mean_logits(segmenter, as_batch(image), random)
        truth = logits.argmax(1)
        others = logits.scatter(1, truth[:, None], -torch.inf)
        if aim.part:
            part = group_indices(segmenter.labels, aim.part)
            changed = torch.isin(truth, torch.tensor(part))
            others[:, part] = -torch.inf
        else:
            lead = logits.amax(1) - others.amax(1)
            foreground = truth != _BACKGROUND
            changed = foreground & (lead <= lead[foreground].quantile(_AIMED_SHARE))
        return cls(torch.where(changed, others.argmax(1), truth), changed)

    def value(self, logits: Tensor) -> Tensor:
        """Grows as a look ``(1, C, h, w)`` shows them; both kinds of pixels count the same."""
        losses = fn.cross_entropy(logits, self.target, reduction="none")
        return -_mean(losses, self.changed) - _mean(losses, ~self.changed)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Zero where there is nothing."""
    return (values * where).sum() / where.sum().clamp_min(1)


def _mean_logits(segmenter: Attackable, picture: Tensor, random: Generator) -> Tensor:
    views = [View(picture), View(see_as_jpeg(picture, random))]
    views += [draw_view(picture, random) for _ in range(_STARTING_LOOKS)]
    return torch.stack([view.undo(segmenter.logits(view.picture)) for view in views]).mean(0)


def _craft(segmenter: Attackable, image: Image, seed: int, *, aim: Aim) -> Image:
    """The best picture that was checked: with the goal reached, the one that scores least."""
    random = np.random.default_rng(seed)
    detector = KnownDetector(segmenter, aim.goal, image)
    best, best_picture, best_step = Judgement(0.0), image, 0
    for step, picture in _climb(segmenter, image, aim, random):
        judgement = detector.judge(picture, random)
        if judgement < best:
            best, best_picture, best_step = judgement, picture, step
        if best.score < detector.max_score or step - best_step >= _PATIENCE:
            break
    return best_picture


def _climb(
    segmenter: Attackable, image: Image, aim: Aim, random: Generator
) -> Iterator[tuple[int, Image]]:
    """Signed steps with momentum; every few of them, how many there were and the picture."""
    clean, bound = as_batch(image), aim.epsilon / 255
    wrong = WrongLabels.of(segmenter, image, aim, random)
    change, direction = torch.zeros_like(clean), torch.zeros_like(clean)
    for count in range(1, _STEPS + 1):
        change.requires_grad_()
        value = _value(segmenter, (clean + change).clamp(0, 1), wrong, random)
        (gradient,) = torch.autograd.grad(value, change)
        direction = _MOMENTUM * direction + gradient / gradient.abs().mean().clamp_min(1e-20)
        step = bound / 4 * max(_LAST_STEP, 1 - count / _SETTLING_STEPS)
        change = (change.detach() + step * direction.sign()).clamp(-bound, bound)
        if count % _CHECK_EVERY == 0:
            yield count, as_image(clean + change)


def _value(segmenter: Attackable, picture: Tensor, wrong: WrongLabels, random: Generator) -> Tensor:
    """Three looks, and how far the parse is torn in the worst tile of the first look."""
    other = draw_view(picture, random)
    batch = torch.cat([picture, see_as_jpeg(picture, random), other.picture])
    # Half the time of single precision, and nearly the same signs.
    with torch.autocast("cpu", torch.bfloat16):
        logits = segmenter.logits(batch).float()
    parse, jpeg, last = logits[:1], logits[1:2], other.undo(logits[2:])
    value = torch.stack([wrong.value(look) for look in (parse, jpeg, last)]).sum()
    return value - _TORN_WEIGHT * _torn(parse.softmax(1), jpeg.softmax(1))


def _torn(first: Tensor, second: Tensor) -> Tensor:
    """Jensen-Shannon divergence in nats, of the worst tile."""
    middle = (first + second) / 2
    apart = _entropy(middle) - (_entropy(first) + _entropy(second)) / 2
    return fn.avg_pool2d(apart, _TILE_SIDE).amax()


def _entropy(probabilities: Tensor) -> Tensor:
    entropy: Tensor = torch.special.entr(probabilities).sum(1, keepdim=True)
    return entropy
