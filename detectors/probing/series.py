"""What a series of pictures of one size shows: mirror images, turns, and changes taken back."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from detectors.probing.differences import SAME, ProbingLimits
from detectors.probing.fingerprint import Fingerprint

_FEW = 8
# The base of a search wanders, which hides its turns in a longer series.
_MOST_TURNS = 24
# A cell with less in it looks like any other flat one.
_FLAT_LUMA, _FLAT_CHROMA = 1.0, 0.5


def count_mirrors(prints: Sequence[Fingerprint], limits: ProbingLimits) -> int:
    """How many pictures of one size mirror another one of them about their mean."""
    if len(prints) < _FEW:
        return 0
    looks = [np.concatenate([each.appearance.luma, each.appearance.chroma]) for each in prints]
    values = np.stack(looks)
    values = values - values.mean(axis=0)
    values /= np.maximum(values.std(axis=0), SAME)
    lengths = np.linalg.norm(values, axis=1)
    correlations = (values @ values.T) / np.maximum(np.outer(lengths, lengths), 1e-6)
    partner = correlations.argmin(axis=1)
    smallest, second = np.partition(correlations, 1, axis=1)[:, :2].T
    mutual = partner[partner] == np.arange(len(prints))
    return int((mutual & (smallest < limits.max_mirror) & (second > smallest / 2)).sum())


def has_turns(prints: Sequence[Fingerprint], limits: ProbingLimits) -> bool:
    """Whether each picture tends to mirror the one before it, in the order of their coming.

    A search by noise asks about each direction both ways, and JPEG leaves enough of that to show
    over many pictures. Views in turn, or frames that an encoder treats in turn, mirror each other
    too, but come back with every second or third.

    Args:
        prints: newest first.
    """
    if len(prints) < _FEW:
        return False
    values = np.stack([each.appearance.luma for each in prints[:_MOST_TURNS]])
    middle = values.mean(axis=0)
    # Exposure scales all of them together.
    gains = values @ middle / max(float(middle @ middle), SAME)
    values = values - gains[:, None] * middle
    values /= np.maximum(values.std(axis=0), SAME)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), SAME)
    once, twice = (
        float((values[lag:] * values[:-lag]).sum(axis=1).mean()) + 1 / len(values) for lag in (1, 2)
    )
    return once <= -limits.min_turns / sqrt(values.size) and abs(twice) < -once / 2


def measure_taken_back(prints: Sequence[Fingerprint]) -> float:
    """Share of the changes of cells, from one picture to the next, that bring back older details.

    A search takes back what was of no use. What an encoder of films changes, it changes for good.

    Args:
        prints: newest first.
    """
    luma = np.stack([each.appearance.luma for each in prints])
    chroma = np.stack([each.appearance.chroma for each in prints])
    has_details = (np.abs(luma) >= _FLAT_LUMA) | (np.abs(chroma) >= _FLAT_CHROMA)
    changes = taken_back = 0
    for place in range(len(prints) - 1):
        older = slice(place + 1, None)
        is_same = (np.abs(luma[older] - luma[place]) < SAME) & (
            np.abs(chroma[older] - chroma[place]) < SAME
        )
        # Both ways alike: on a flat wall a change would count, and its taking back would not.
        is_changed = has_details[place] & has_details[place + 1] & ~is_same[0]
        changes += int(is_changed.sum())
        taken_back += int((is_changed & is_same[1:].any(axis=0)).sum())
    return taken_back / max(1, changes)
