"""Answers that are one PNG."""

from collections.abc import Iterator

import numpy as np

from inference.labels.label_table import MAX_LABELS
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import Colour, LabelPng, PalettePng
from inference.upstream.answers.pictures.png_files import read_colours, read_labels, read_light
from inference.upstream.learning.answers.proposal import Proposal

# More are a picture, and no parse.
_MAX_COLOURS = 64
_Size = tuple[int, int]


def propose_png(data: bytes, size: _Size) -> Iterator[Proposal]:
    """Label numbers, or the colours of a palette."""
    try:
        labels = read_labels(data, size)
    except AnswerUnreadable:
        yield from _propose_palette(data, size)
        return
    values = np.unique(labels)
    if len(values) <= _MAX_COLOURS and values[-1] < MAX_LABELS - 1:
        yield Proposal(LabelPng(), top=int(values[-1]))


def is_mask(data: bytes, size: _Size) -> bool:
    """Whether a PNG is black and white."""
    try:
        read_light(data, size)
        colours = read_colours(data, size)
    except AnswerUnreadable:
        return False
    return bool(np.isin(colours, (0, 255)).all())


def _propose_palette(data: bytes, size: _Size) -> Iterator[Proposal]:
    try:
        picture = read_colours(data, size)
    except AnswerUnreadable:
        return
    colours = _list_colours(picture)
    if len(colours) <= _MAX_COLOURS:
        yield Proposal(PalettePng(palette=colours), top=len(colours) - 1, colours=colours)


def _list_colours(picture: np.ndarray) -> tuple[Colour, ...]:
    packed = picture.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    return tuple(
        (int(value) >> 16, (int(value) >> 8) & 255, int(value) & 255) for value in np.unique(packed)
    )
