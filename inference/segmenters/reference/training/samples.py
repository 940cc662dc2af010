"""The training samples in memory, and how often each is shown."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS
from inference.segmenters.reference.training.data import (
    Sample,
    Split,
    label_table,
    load_sample,
    names_in,
    split_names,
)

# Demo and tests draw from lower seeds, so that they never show a figure that was trained on.
FIRST_FIGURE_SEED = 1_000_000
_STORED_SIZE = (384, 576)
_COMMON_SHARE = 0.3


def load_split(folder: Path, split: Split) -> Iterator[Sample]:
    """The labelled photos of one part of the split, at their own size."""
    names = split_names(names_in(folder), split)
    table = label_table(folder)
    for name in names:
        yield load_sample(folder, name, table)


def training_samples(folder: Path, figures: int) -> list[Sample]:
    """Photos and drawn figures at one size."""
    samples = [_shrink(sample) for sample in load_split(folder, "train")]
    for seed in range(FIRST_FIGURE_SEED, FIRST_FIGURE_SEED + figures):
        figure = draw_figure(seed, _STORED_SIZE)
        samples.append(Sample(f"figure-{seed}", figure.image, figure.label_map))
    return samples


def _shrink(sample: Sample) -> Sample:
    image = cv2.resize(sample.image, _STORED_SIZE, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(sample.label_map, _STORED_SIZE, interpolation=cv2.INTER_NEAREST_EXACT)
    return Sample(sample.name, image.astype(np.uint8), labels.astype(np.uint8))


def repeats(samples: Sequence[Sample]) -> npt.NDArray[np.float64]:
    """How often an epoch shows each sample, from 1 up (Gupta, Dollár & Girshick, CVPR 2019).

    A sample with a label that few samples hold is shown more often: by the square root of how
    much rarer the label is than a common one.
    """
    presence = np.array(
        [np.bincount(s.label_map.ravel(), minlength=len(LABELS)) > 0 for s in samples]
    )
    share = np.maximum(presence.mean(axis=0), 1 / len(samples))
    of_label = np.maximum(1.0, np.sqrt(_COMMON_SHARE / share))
    return np.asarray(np.where(presence, of_label, 1.0).max(axis=1), dtype=np.float64)


def epoch_order(
    often: npt.NDArray[np.float64], batch: int, random: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Indices ``(steps, batch)`` of one epoch; its length does not depend on the repeats."""
    whole = np.floor(often + random.random(often.size)).astype(np.intp)
    order = random.permutation(np.repeat(np.arange(often.size), whole))
    steps = often.size // batch
    return np.asarray(order[: steps * batch].reshape(steps, batch), dtype=np.intp)
