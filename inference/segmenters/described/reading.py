"""From a network's outputs to probabilities and labels."""

from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import LabelMap, softmax
from inference.segmenters.described.description import Description, OutputForm
from inference.segmenters.described.heads import Heads
from inference.segmenters.label_maps import (
    bounded_size,
    enlarge,
    fit_labels,
    likeliest_labels,
)

Floats = npt.NDArray[np.float32]
# As many pixels as the reference network sees: 25 labels take 5.5 MB.
_WORKING_PIXELS = 192 * 288
# How far the background is from the likeliest part where its rule, and no share, decides.
_JUST_BELOW = 0.999


def read_probabilities(heads: Heads, description: Description) -> Floats:
    """Class probabilities ``(C, h, w)``; the likeliest is what the background's rule says."""
    output = description.label_output
    size = _working_size(*heads.labels.shape[1:])
    if output.values == "labels":
        return _one_hot(heads.labels[0], size, len(description.labels.names))
    values = _activate(_resize(heads.labels, size), output)
    if description.background.rule == "channel":
        return _share_out(values)
    (person,) = _resize(_person_shares(heads, description)[0][None], size)
    return _add_background(person, _share_out(values), description.background.threshold)


def read_label_map(heads: Heads, description: Description, height: int, width: int) -> LabelMap:
    """The label of each pixel ``(H, W)`` of the picture."""
    output = description.label_output
    if output.values == "labels":
        return fit_labels(heads.labels[0].astype(np.uint8), height, width)
    size = bounded_size(height, width)
    labels = likeliest_labels(heads.labels, size, on_corners=output.grid == "corners")
    if description.background.rule == "below":
        is_person = _place_person(heads, description, size) >= description.background.threshold
        labels = np.where(is_person, labels + np.uint8(1), np.uint8(0))
    return fit_labels(labels, height, width)


def _person_shares(heads: Heads, description: Description) -> tuple[Floats, OutputForm]:
    """How much of a person there is ``(h, w)``, and the output that says so."""
    output = description.person_output
    if heads.person is None or output is None:
        output = description.label_output
        return _activate(heads.labels, output).max(axis=0), output
    return _activate(heads.person, output), output


def _place_person(heads: Heads, description: Description, size: tuple[int, int]) -> Floats:
    """How much of a person there is at each pixel of ``size`` = (width, height)."""
    shares, output = _person_shares(heads, description)
    return enlarge(shares, size, on_corners=output.grid == "corners")


def _activate(values: Floats, output: OutputForm) -> Floats:
    """Shares between 0 and 1."""
    if output.activation == "softmax":
        return softmax(values)
    if output.activation == "sigmoid":
        return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), dtype=np.float32)
    return values


def _share_out(values: Floats) -> Floats:
    """Shares that sum to 1; where there are none at all, each label gets the same."""
    total = values.sum(axis=0)
    safe = np.where(total > 0, total, 1)
    return np.asarray(np.where(total > 0, values / safe, 1 / len(values)), dtype=np.float32)


def _add_background(person: Floats, parts: Floats, threshold: float) -> Floats:
    """Put the background before the parts.

    A pixel that the rule gives to a person may have its part's share spread over several labels,
    each less likely than the background: that is then moved to just below the likeliest of them.
    """
    shares = person * parts
    best, rest = shares.max(axis=0), 1 - person
    nobody, somebody = np.maximum(rest, best / _JUST_BELOW), np.minimum(rest, best * _JUST_BELOW)
    background = np.where(person < threshold, nobody, somebody)
    values = np.concatenate([background[None], shares])
    return np.asarray(values / values.sum(axis=0), dtype=np.float32)


def _working_size(height: int, width: int) -> tuple[int, int]:
    """Width and height of probabilities: the network's own, unless it answers at a large size."""
    scale = min(1.0, sqrt(_WORKING_PIXELS / (height * width)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resize(values: Floats, size: tuple[int, int]) -> Floats:
    """Channels ``(C, h, w)`` at ``size`` = (width, height)."""
    if values.shape[:0:-1] == size:
        return values
    smaller = size[0] * size[1] < values.shape[1] * values.shape[2]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray([cv2.resize(each, size, interpolation=way) for each in values], np.float32)


def _one_hot(labels: Floats, size: tuple[int, int], count: int) -> Floats:
    """Labels that are sure of everything."""
    small = fit_labels(labels.astype(np.uint8), size[1], size[0])
    return np.asarray(small == np.arange(count)[:, None, None], dtype=np.float32)
