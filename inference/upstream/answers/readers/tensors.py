"""Reads :class:`Tensors`: what KServe's protocols carry, as labels, logits or probabilities."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from detectors.parsing import LabelMap, Parsing, softmax
from inference.upstream.answers.answer import ALONE, Answer, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import Tensors
from inference.upstream.answers.pictures.canvas import Drawing
from inference.upstream.answers.pictures.one_hot import (
    parse_drawing,
    parse_probabilities,
    sample_labels,
    shrink_channels,
)
from inference.upstream.answers.texts.kserve import read_v1, read_v2

Floats = npt.NDArray[np.float32]

_MAX_SUM_ERROR = 0.02
_MAX_VALUE = 1e30


def read_tensors(form: Tensors, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    if form.version == "v1":
        values = read_v1(answer.chunks, form.output, answer.part)
        answer = replace(answer, part=ALONE)
    else:
        values = read_v2(answer.chunks, form.output)
    # Written this way round, so that NaN is none of them.
    if not (np.abs(values) <= _MAX_VALUE).all():
        raise AnswerUnreadable("The answer has a tensor with values beyond all bounds.")
    if form.content == "labels":
        return _parse_labels(form, values, answer)
    return _parse_channels(form, values, answer)


def _parse_labels(form: Tensors, values: Floats, answer: Answer) -> Parsing:
    values = values[..., 0] if _has_one_channel(values) else values
    values = _take_part(values, 2, answer.part)
    label_map = values.clip(0, 255).astype(np.uint8)
    if (label_map != values).any():
        raise AnswerUnreadable("The answer has a tensor with values that are no label numbers.")
    return parse_drawing(Drawing(_fit(label_map, form, answer.size)), answer.labels)


def _has_one_channel(values: Floats) -> bool:
    """Whether there is an axis behind height and width, with or without one for the batch."""
    return values.ndim in (3, 4) and values.shape[-1] == 1 and values.shape[-2] > 1


def _parse_channels(form: Tensors, values: Floats, answer: Answer) -> Parsing:
    values = _take_part(values, 3, answer.part)
    channels = values if form.layout == "chw" else values.transpose(2, 0, 1)
    if len(channels) != len(answer.labels.names):
        raise AnswerUnreadable(
            f"The answer has {len(channels)} channels, and the preset "
            f"{len(answer.labels.names)} labels."
        )
    label_map = _fit(channels.argmax(axis=0).astype(np.uint8), form, answer.size)
    small = shrink_channels(channels)
    share = softmax(small) if form.content == "logits" else _check_shares(small)
    return parse_probabilities(share, label_map, answer.labels)


def _take_part(values: Floats, axes: int, part: Part) -> Floats:
    """The values of one picture; with several of them the first axis is theirs."""
    if part.count > 1:
        if values.ndim != axes + 1 or values.shape[0] != part.count:
            raise AnswerUnreadable(f"The answer is not to {part.count} pictures.")
        return np.asarray(values[part.place])
    while values.ndim > axes and values.shape[0] == 1:
        values = values[0]
    if values.ndim != axes:
        raise AnswerUnreadable(f"The answer has a tensor of the shape {values.shape}.")
    return values


def _fit(label_map: LabelMap, form: Tensors, size: tuple[int, int]) -> LabelMap:
    """A label map of the picture's size."""
    if label_map.shape == size:
        return label_map
    if not form.is_scaled:
        raise AnswerUnreadable("The answer has a tensor that is not of the picture's size.")
    return sample_labels(label_map, size)


def _check_shares(values: Floats) -> Floats:
    """Probabilities, whose rounding errors are taken out."""
    sums = values.sum(axis=0)
    if values.min() < 0 or np.abs(sums - 1).max() > _MAX_SUM_ERROR:
        raise AnswerUnreadable("The answer has a tensor that is not one of probabilities.")
    return np.asarray(values / sums, dtype=np.float32)
