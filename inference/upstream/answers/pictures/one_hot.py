"""From labels or probabilities to a parsing of bounded size."""

from dataclasses import replace
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import LabelMap, Parsing
from detectors.resample import resample
from inference.labels.label_table import LabelTable
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.pictures.canvas import Drawing

Floats = npt.NDArray[np.float32]

# As many pixels as the reference network sees: 20 labels take 4.4 MB.
_WORKING_PIXELS = 192 * 288
_MAX_SIDE = _WORKING_PIXELS // 32


def parse_drawing(drawing: Drawing, table: LabelTable) -> Parsing:
    """A parsing that is sure of everything: probabilities are 0 and 1.

    Raises:
        AnswerUnreadable: a label that the table does not have.
    """
    label_map = drawing.label_map
    largest = int(label_map.max())
    if largest >= len(table.names):
        raise AnswerUnreadable(f"The answer has the label {largest}, which the preset lacks.")
    small = sample_labels(label_map, _working_size(label_map.shape))
    one_hot = _write_one_hot(small, len(table.names))
    return Parsing(one_hot, label_map, table.names, drawing.persons, table.parts)


def parse_probabilities(probabilities: Floats, label_map: LabelMap, table: LabelTable) -> Parsing:
    """A parsing from probabilities ``(C, h, w)`` of working size and a label map ``(H, W)``."""
    return Parsing(probabilities, label_map, table.names, None, table.parts)


def sample_labels(label_map: LabelMap, size: tuple[int, int]) -> LabelMap:
    """A label map ``(H, W)`` at another size: the label at the centre of each new pixel.

    OpenCV's nearest neighbours go wrong on sides of more than 32,767 pixels.
    """
    rows, columns = (
        ((np.arange(target) + 0.5) * source / target).astype(np.intp)
        for source, target in zip(label_map.shape, size, strict=True)
    )
    return np.ascontiguousarray(label_map[np.ix_(rows, columns)])


def resize_parsing(parsing: Parsing, size: tuple[int, int]) -> Parsing:
    """A parsing whose label map and persons have the size ``(H, W)`` of the picture as we hold it.

    Large pictures are decoded smaller here, and whole by the upstream.
    """
    persons = None if parsing.persons is None else sample_labels(parsing.persons, size)
    label_map = sample_labels(parsing.label_map, size)
    return replace(parsing, label_map=label_map, persons=persons)


def fit_probabilities(parsing: Parsing, size: tuple[int, int]) -> Floats:
    """Probabilities ``(C, h, w)`` of a parsing at another size; those that are sure stay sure.

    Averages of labels would look like doubt where two looks have sizes that differ by a pixel.
    """
    probabilities: Floats = parsing.probabilities
    if not np.isin(probabilities, (0.0, 1.0)).all():
        return np.asarray(resample(probabilities, size), dtype=np.float32)
    return _write_one_hot(sample_labels(parsing.label_map, size), len(parsing.labels))


def shrink_channels(values: Floats) -> Floats:
    """Values ``(C, h, w)`` averaged to a bounded working size; small ones as they are."""
    rows, columns = _working_size(values.shape[1:])
    if (rows, columns) == values.shape[1:]:
        return np.ascontiguousarray(values)
    channels = [
        cv2.resize(np.ascontiguousarray(channel), (columns, rows), interpolation=cv2.INTER_AREA)
        for channel in values
    ]
    return np.asarray(channels, dtype=np.float32)


def _write_one_hot(label_map: LabelMap, count: int) -> Floats:
    one_hot = np.empty((count, *label_map.shape), dtype=np.float32)
    for label, channel in enumerate(one_hot):
        channel[...] = label_map == label
    return one_hot


def _working_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of probabilities."""
    height, width = shape
    scale = min(1.0, sqrt(_WORKING_PIXELS / (height * width)))
    rows, columns = (max(1, min(_MAX_SIDE, round(side * scale))) for side in (height, width))
    return rows, columns
