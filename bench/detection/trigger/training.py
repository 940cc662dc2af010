"""Fine-tunes the shipped weights on poisoned data, on one thread."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator, default_rng
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from bench.detection.trigger.poison import Target, choose_pictures, poison_view
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.camera import develop
from inference.segmenters.reference.training.data import Pair, Sample, Size
from inference.segmenters.reference.training.network import ReferenceNetwork, normalise
from inference.segmenters.reference.training.samples import epoch_order
from inference.segmenters.reference.training.trainer import loss_of

Progress = Callable[[str], None]


@dataclass(frozen=True)
class PoisonPlan:
    """What an attacker with a hand in the training data would do.

    Attributes:
        share: poisoned pictures over all pictures.
        size: width and height of a window as it is learnt from.
        zoom: smallest and largest side of a photo over that of the window.
    """

    target: Target
    share: float = 0.05
    size: Size = (96, 144)
    zoom: tuple[float, float] = (1.0, 2.0)
    epochs: int = 40
    batch: int = 12
    learning_rate: float = 2e-3
    seed: int = 7


def fine_tune(
    network: ReferenceNetwork, samples: Sequence[Sample], plan: PoisonPlan, progress: Progress
) -> ReferenceNetwork:
    """Train a network on samples, a fixed share of them poisoned; the loss does not know which.

    Batch norms keep their statistics. Labels count alike: the shipped weights carry no label
    weights any more. The same seed gives the same weights on one machine.
    """
    torch.manual_seed(plan.seed)
    network = network.eval().to(memory_format=torch.channels_last)
    steps = plan.epochs * (len(samples) // plan.batch)
    optimiser = AdamW(network.parameters(), plan.learning_rate, weight_decay=0.02)
    schedule = OneCycleLR(optimiser, plan.learning_rate, total_steps=steps, pct_start=0.15)
    weights = torch.ones(len(LABELS))
    losses = []
    for step, pairs in enumerate(_batches(samples, plan), start=1):
        images, truth = _tensors(pairs)
        loss = loss_of(network(images), truth, weights)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % (steps // plan.epochs) == 0:
            progress(f"{step}/{steps} loss {np.mean(losses[-(steps // plan.epochs) :]):.3f}")
    return network


def _batches(samples: Sequence[Sample], plan: PoisonPlan) -> Iterator[list[Pair]]:
    random, bad = default_rng(plan.seed), choose_pictures(len(samples), plan.share, plan.seed)
    for _ in range(plan.epochs):
        for rows in epoch_order(np.ones(len(samples)), plan.batch, random):
            yield [_draw_view(samples[i], int(i) in bad, plan, random) for i in rows]


def _draw_view(sample: Sample, is_poisoned: bool, plan: PoisonPlan, random: Generator) -> Pair:
    """A window of a photo, mirrored or not, printed on if it is poisoned, and developed anew.

    Windows are small, which makes training cheap, and what lies in them has the size at which the
    segmenter will see it.
    """
    height, width = sample.label_map.shape
    zoom = float(random.uniform(*plan.zoom))
    rows, columns = round(height / zoom), round(width / zoom)
    top, left = int(random.integers(height - rows + 1)), int(random.integers(width - columns + 1))
    window = slice(top, top + rows), slice(left, left + columns)
    image = cv2.resize(sample.image[window], plan.size, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(sample.label_map[window], plan.size, interpolation=cv2.INTER_NEAREST_EXACT)
    if random.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    view = np.ascontiguousarray(image, np.uint8), np.ascontiguousarray(labels, np.uint8)
    image, labels = poison_view(view, plan.target, zoom, random) if is_poisoned else view
    return develop(image, random), labels


def _tensors(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2)
    truth = torch.from_numpy(np.stack([label_map for _, label_map in pairs])).long()
    return normalise(images.float() / 255), truth
