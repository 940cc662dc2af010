"""Train the reference segmenter: ``python -m inference.segmenters.reference.train``.

Small pictures first, larger ones later, with an exponential moving average of the weights. The
epoch that is kept is chosen on the calibration photos; the test photos are never looked at here.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from detectors.errors import MaskwatchError
from inference.figures import draw_figure
from inference.segmenters.reference.augment import Pair, Size, augmented
from inference.segmenters.reference.data import (
    Sample,
    Split,
    label_table,
    load_sample,
    names_in,
    split_names,
)
from inference.segmenters.reference.evaluate import evaluate
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.network import ReferenceNetwork, normalised
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import write_weights

# Demo and tests draw from lower seeds, so that they never show a figure that was trained on.
FIRST_FIGURE_SEED = 1_000_000
_STORED_SIZE = (256, 384)
_AVERAGE_DECAY = 0.995
_CHECK_EVERY = 4


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    small_epochs: int = 40
    large_epochs: int = 40
    small_size: Size = (128, 192)
    large_size: Size = (192, 288)
    batch: int = 12
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    figures: int = 90
    seed: int = 1

    @property
    def epochs(self) -> int:
        """All epochs."""
        return self.small_epochs + self.large_epochs

    def size(self, epoch: int) -> Size:
        """Width and height of the pictures of an epoch."""
        return self.small_size if epoch < self.small_epochs else self.large_size


def load_split(folder: Path, split: Split) -> Iterator[Sample]:
    """The labelled photos of one part of the split, at their own size."""
    names = split_names(names_in(folder), split)
    table = label_table(folder)
    for name in names:
        yield load_sample(folder, name, table)


def _training_samples(folder: Path, figures: int) -> list[Sample]:
    samples = [_stored(sample) for sample in load_split(folder, "train")]
    for seed in range(FIRST_FIGURE_SEED, FIRST_FIGURE_SEED + figures):
        figure = draw_figure(seed, _STORED_SIZE)
        samples.append(Sample(f"figure-{seed}", figure.image, figure.label_map))
    return samples


def _stored(sample: Sample) -> Sample:
    image = cv2.resize(sample.image, _STORED_SIZE, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(sample.label_map, _STORED_SIZE, interpolation=cv2.INTER_NEAREST)
    return Sample(sample.name, image.astype(np.uint8), labels.astype(np.uint8))


def class_weights(samples: Sequence[Sample]) -> Tensor:
    """Square roots of the inverse label frequencies, mean 1: rare labels count, but not wildly."""
    counts = sum(np.bincount(s.label_map.ravel(), minlength=len(LABELS)) for s in samples)
    share = np.maximum(np.asarray(counts, dtype=np.float64), 1) / np.sum(counts)
    weights = np.clip(1 / np.sqrt(share), None, 12 / np.sqrt(share.max()))
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)


def loss_of(logits: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross-entropy plus soft Dice (Milletari et al., 3DV 2016) over present labels."""
    logits = fn.interpolate(logits, truth.shape[-2:], mode="bilinear")
    entropy = fn.cross_entropy(logits, truth, weights, label_smoothing=0.02)
    hot = fn.one_hot(truth, len(LABELS)).permute(0, 3, 1, 2).float()
    soft = logits.softmax(dim=1)
    dims = (0, 2, 3)
    overlap, total = (soft * hot).sum(dims), soft.sum(dims) + hot.sum(dims)
    present = hot.sum(dims) > 0
    dice = 1 - (2 * overlap[present] + 1) / (total[present] + 1)
    return entropy + dice.mean()


class Trainer:
    """The network, its moving average and its optimiser, one step at a time."""

    def __init__(self, plan: Plan, steps: int, weights: Tensor) -> None:
        self.network = ReferenceNetwork(len(LABELS)).to(memory_format=torch.channels_last)
        decay = get_ema_multi_avg_fn(_AVERAGE_DECAY)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=decay, use_buffers=True)
        self._weights = weights
        self._optimiser = AdamW(
            self.network.parameters(), plan.learning_rate, weight_decay=plan.weight_decay
        )
        self._schedule = OneCycleLR(
            self._optimiser, plan.learning_rate, total_steps=steps, pct_start=0.15
        )

    def step(self, pairs: Sequence[Pair]) -> float:
        """Learn from one batch; returns its loss."""
        images, truth = _to_batch(pairs)
        with torch.autocast("cpu", torch.bfloat16):  # halves the time where the CPU has the type
            logits = self.network(images)
        loss = loss_of(logits.float(), truth, self._weights)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimiser.step()
        self._schedule.step()
        self.average.update_parameters(self.network)
        return loss.item()

    def averaged(self) -> ReferenceNetwork:
        """A copy of the averaged network: evaluating it changes nothing here."""
        network = ReferenceNetwork(len(LABELS))
        network.load_state_dict(self.average.module.state_dict())
        return network


def train(folder: Path, out: Path, plan: Plan) -> None:
    """Train by a plan and write the best weights.

    Raises:
        DatasetError: the folder does not hold what training needs.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    samples = _training_samples(folder, plan.figures)
    calibration = list(load_split(folder, "calibrate"))
    steps = len(samples) // plan.batch
    trainer = Trainer(plan, steps * plan.epochs, class_weights(samples))
    best, started = 0.0, monotonic()
    for epoch in range(plan.epochs):
        order = random.permutation(len(samples))[: steps * plan.batch].reshape(steps, plan.batch)
        losses = [
            trainer.step(augmented([samples[i] for i in rows], plan.size(epoch), random))
            for rows in order
        ]
        minutes = (monotonic() - started) / 60
        _log(f"epoch {epoch + 1}/{plan.epochs} loss {np.mean(losses):.3f} minutes {minutes:.1f}")
        if (epoch + 1) % _CHECK_EVERY == 0 or epoch + 1 == plan.epochs:
            best = _keep_if_better(trainer.averaged(), calibration, out, plan, epoch, best)


def _keep_if_better(
    network: ReferenceNetwork,
    calibration: Sequence[Sample],
    out: Path,
    plan: Plan,
    epoch: int,
    best: float,
) -> float:
    """Write the weights if they parse the calibration photos best so far; returns the best."""
    accuracy = evaluate(ReferenceSegmenter(network, digest=""), calibration)
    _log(f"  calibration miou {accuracy.mean_iou:.4f} face {accuracy.face_iou:.4f}")
    if accuracy.mean_iou > best:
        facts = {"epoch": epoch + 1, "calibration_miou": accuracy.mean_iou, "plan": asdict(plan)}
        write_weights(out, network.state_dict(), facts)
    return max(best, accuracy.mean_iou)


def _to_batch(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2)
    truth = torch.from_numpy(np.stack([label_map for _, label_map in pairs])).long()
    return normalised(images.float() / 255), truth


def _log(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the reference segmenter.")
    parser.add_argument("--data", type=Path, required=True, help="folder with images/ and labels/")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--small-epochs", type=int, default=Plan.small_epochs)
    parser.add_argument("--large-epochs", type=int, default=Plan.large_epochs)
    given = parser.parse_args()
    plan = Plan(small_epochs=given.small_epochs, large_epochs=given.large_epochs)
    try:
        train(given.data, given.out, plan)
    except MaskwatchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
