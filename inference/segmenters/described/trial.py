"""What a model answers on drawn pictures: the first thing that is asked of a foreign one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from inference.figures import draw_figure
from inference.segmenters.base import Segmenter

# Of figures that differ in clothes, skin and place.
_SEEDS = (3, 11, 20)
_SIZE = (384, 576)


@dataclass(frozen=True)
class Trial:
    """What a model made of one drawn person.

    Attributes:
        shares: share of the picture by label, the largest first.
        person_share: share of the drawn person's pixels that are not called background.
        place_share: the same of the place around.
    """

    shares: tuple[tuple[str, float], ...]
    person_share: float
    place_share: float

    @property
    def is_empty(self) -> bool:
        """Whether all was called background."""
        return [label for label, _ in self.shares] == ["background"]


def try_model(segmenter: Segmenter) -> Iterator[Trial]:
    """Let a model parse drawn people, one after another.

    Raises:
        ModelError: what it answers is not as described.
    """
    return (_try_figure(segmenter, seed) for seed in _SEEDS)


def sees_nobody(trials: Iterable[Trial]) -> bool:
    """Whether a model called every picture background from edge to edge."""
    return all(trial.is_empty for trial in trials)


def _try_figure(segmenter: Segmenter, seed: int) -> Trial:
    figure = draw_figure(seed, _SIZE)
    label_map = segmenter.parse(figure.image).label_map
    counts = np.bincount(label_map.ravel(), minlength=len(segmenter.labels)) / label_map.size
    order = np.argsort(-counts, kind="stable")
    shares = tuple((segmenter.labels[i], float(counts[i])) for i in order if counts[i] > 0)
    is_person = figure.label_map > 0
    is_foreground = label_map > 0
    return Trial(
        shares, float(is_foreground[is_person].mean()), float(is_foreground[~is_person].mean())
    )
