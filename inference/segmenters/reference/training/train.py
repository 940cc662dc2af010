"""Train the reference segmenter: ``python -m inference.segmenters.reference.training.train``.

Runs the stages of a plan one after another; ``--start`` runs the last stage alone, from given
weights. The epoch that is kept is chosen on the calibration photos; the test photos are never
looked at here. Everything that is printed stands in a log beside the weights as well.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic

import numpy as np
import numpy.typing as npt
import torch

from detectors.errors import MaskwatchError
from inference.segmenters.processor import has_bfloat16_units
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.augment import augment_batch, mix_batch
from inference.segmenters.reference.training.data import Pair, Sample, Size
from inference.segmenters.reference.training.evaluate import evaluate
from inference.segmenters.reference.training.export import network_of, write_network
from inference.segmenters.reference.training.network import ReferenceNetwork
from inference.segmenters.reference.training.recipe import Plan, Stage
from inference.segmenters.reference.training.samples import (
    epoch_order,
    load_split,
    repeats,
    training_samples,
)
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.training.trainer import (
    Trainer,
    blend_networks,
    class_weights,
    correct_bias,
)
from inference.segmenters.reference.weights import open_weights

_CHECK_EVERY = 2


@dataclass
class _Run:
    """Where results go, what they are judged by, and the best judgement so far."""

    out: Path
    plan: Plan
    start: str
    calibration: Sequence[Sample]
    best: float = 0.0
    start_seconds: float = field(default_factory=monotonic)

    def log(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        with self.out.with_suffix(".log").open("a") as file:
            file.write(line + "\n")

    def keep_if_better(self, network: ReferenceNetwork, stage: Stage, epoch: int) -> None:
        """Write the weights if they parse the calibration photos best so far."""
        accuracy = evaluate(TorchSegmenter(network, digest=""), self.calibration)
        is_best = accuracy.mean_iou > self.best
        if is_best:
            self.best = accuracy.mean_iou
            write_network(self.out, network, self._facts(stage, epoch))
        miou, face = accuracy.mean_iou, accuracy.face_iou
        self.log(f"  calibration miou {miou:.4f} face {face:.4f}{' kept' if is_best else ''}")

    def _facts(self, stage: Stage, epoch: int) -> dict[str, object]:
        return {
            "stage": stage.name,
            "epoch": epoch,
            "calibration_miou": self.best,
            "start": self.start,
            "plan": asdict(self.plan),
        }


def train(folder: Path, out: Path, plan: Plan, start: Path | None = None) -> None:
    """Train by a plan and write the best weights.

    Args:
        folder: labelled photos.
        out: where the weights go; the log goes beside them.
        plan: the stages.
        start: weights to go on from, instead of random ones.

    Raises:
        DatasetError: the folder does not hold what training needs.
        ModelError: the start cannot be read.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    network, digest = _first_network(start)
    samples = training_samples(folder, plan.figures)
    run = _Run(out, plan, digest, list(load_split(folder, "calibrate")))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".log").unlink(missing_ok=True)
    kind = "bfloat16" if has_bfloat16_units() else "float32"
    run.log(f"seed {plan.seed} torch {torch.__version__} {kind} threads {torch.get_num_threads()}")
    run.log(f"start {digest or 'random weights'}")
    for stage in plan.stages:
        network = _run_stage(run, stage, network, samples, random)


def _first_network(start: Path | None) -> tuple[ReferenceNetwork, str]:
    if start is None:
        return ReferenceNetwork(len(LABELS)), ""
    weights = open_weights(start)
    return network_of(weights), weights.digest


def _run_stage(
    run: _Run,
    stage: Stage,
    network: ReferenceNetwork,
    samples: Sequence[Sample],
    random: np.random.Generator,
) -> ReferenceNetwork:
    """Train one stage; the next one goes on from its moving average."""
    run.log(f"stage {stage}")
    steps = stage.epochs * (len(samples) // run.plan.batch)
    start, weights = deepcopy(network), class_weights(samples)
    trainer = Trainer(network, stage, steps, weights, run.plan.weight_decay)
    often = repeats(samples) if stage.several_people else np.ones(len(samples))
    for epoch in range(1, stage.epochs + 1):
        order = epoch_order(often, run.plan.batch, random)
        batches = _batches(stage, stage.size(epoch - 1), samples, order, random)
        loss = np.mean([trainer.step(pairs) for pairs in _ahead(batches)])
        minutes = (monotonic() - run.start_seconds) / 60
        run.log(f"{stage.name} {epoch}/{stage.epochs} loss {loss:.3f} minutes {minutes:.1f}")
        if epoch % _CHECK_EVERY == 0 or epoch == stage.epochs:
            candidate = blend_networks(start, trainer.copy_average(), stage.start_share)
            run.keep_if_better(correct_bias(candidate, weights, stage.correction), stage, epoch)
    return trainer.copy_average()


def _batches(
    stage: Stage,
    size: Size,
    samples: Sequence[Sample],
    order: npt.NDArray[np.intp],
    random: np.random.Generator,
) -> Iterator[list[Pair]]:
    """The augmented batches of one epoch."""
    augment = mix_batch if stage.several_people else augment_batch
    for rows in order:
        yield augment([samples[i] for i in rows], size, random)


def _ahead(batches: Iterator[list[Pair]]) -> Iterator[list[Pair]]:
    """The same batches; the next one is made while the present one is learnt from."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, batches, None)
        while (pairs := future.result()) is not None:
            future = pool.submit(next, batches, None)
            yield pairs


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the reference segmenter.")
    parser.add_argument("--data", type=Path, required=True, help="folder with images/ and labels/")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--start", type=Path, help="run the last stage alone, from these weights")
    arguments = parser.parse_args()
    whole = Plan()
    plan = whole if arguments.start is None else replace(whole, stages=whole.stages[-1:])
    try:
        train(arguments.data, arguments.out, plan, arguments.start)
    except MaskwatchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
