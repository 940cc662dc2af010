"""Labels that are drawn: with a signal in the looks, or with answers at random."""

import numpy as np

from detectors.ranking.inputs import INPUT_NAMES
from detectors.ranking.labels import Label, Labels, weigh_labels

_LOOKS, _TAMPERING = INPUT_NAMES.index("looks"), INPUT_NAMES.index("tampering")


def draw_labels(
    count: int, *, signal: float, seed: int = 0, of_group: int = 1, who: str = "ada"
) -> list[Label]:
    """As many of each answer, in families of a size, each in a network of its own."""
    random = np.random.default_rng(seed)
    labels = []
    for number in range(count):
        group = number // of_group
        row = random.normal(0, 1, len(INPUT_NAMES))
        row[[_LOOKS, _TAMPERING]] += signal * (group % 2)
        if random.random() < 0.3:
            row[_TAMPERING] = np.nan
        ties = (f"network {group}", f"family {group}")
        labels.append(Label(row, bool(group % 2), ties, who))
    return labels


def weigh(labels: list[Label]) -> Labels:
    """The labels as a re-ranker learns from them."""
    return weigh_labels(labels, len(INPUT_NAMES))
