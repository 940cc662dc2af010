"""Draws masks into a label map and a person map."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.parsing import LabelMap
from inference.labels.label_table import LabelTable
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.documents import show

Pixels = npt.NDArray[np.bool_]

MAX_MASKS = 512
# Of all masks together: some seconds of work.
_MAX_PIXELS = 1 << 30
_MAX_PERSONS = 255
_MAX_SCORE = 1e9


@dataclass(frozen=True, eq=False)
class LabelMask:
    """One mask of an answer.

    Attributes:
        label: its label as the answer has it: a name, or an index.
        score: how sure the upstream is of it; ``None`` if it does not say.
        draw: decodes the pixels ``(H, W)``.
    """

    label: object
    score: object
    draw: Callable[[], Pixels]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A label map ``(H, W)`` uint8, and which person each pixel belongs to."""

    label_map: LabelMap
    persons: LabelMap | None = None


def draw_masks(
    masks: Sequence[LabelMask],
    table: LabelTable,
    size: tuple[int, int],
    person_label: str | None = None,
    first_label: int = 0,
) -> Drawing:
    """Draw the least sure mask first; of equally sure ones, in the order of the answer.

    Args:
        person_label: label of masks that show whole persons.
        first_label: the number that the answer has for the label with index 0.

    Raises:
        AnswerUnreadable: a label that the table does not have, or more masks than a parse has.
    """
    check_count(len(masks), size)
    ordered = sorted(masks, key=lambda mask: _read_score(mask.score))
    is_person = [_is_named(mask.label, person_label) for mask in ordered]
    persons = [mask for mask, flag in zip(ordered, is_person, strict=True) if flag]
    parts = [
        (mask, _find_label(mask.label, table, first_label))
        for mask, flag in zip(ordered, is_person, strict=True)
        if not flag
    ]
    # What no mask covers is background already.
    label_map = _paint(size, ((mask, label) for mask, label in parts if label))
    return Drawing(label_map, None if person_label is None else _paint_persons(size, persons))


def check_count(count: int, size: tuple[int, int]) -> None:
    """Whether as many masks can be read in a few seconds.

    Raises:
        AnswerUnreadable: they cannot.
    """
    if count > MAX_MASKS or count * size[0] * size[1] > _MAX_PIXELS:
        raise AnswerUnreadable("The answer has more masks than can be read in time.")


def _paint_persons(size: tuple[int, int], persons: Sequence[LabelMask]) -> LabelMap:
    """The surest one is number 1, and on top."""
    surest = persons[-_MAX_PERSONS:]
    return _paint(size, zip(surest, range(len(surest), 0, -1), strict=True))


def _paint(size: tuple[int, int], masks: Iterable[tuple[LabelMask, int]]) -> LabelMap:
    canvas = np.zeros(size, dtype=np.uint8)
    for mask, number in masks:
        np.copyto(canvas, np.uint8(number), where=mask.draw())
    return canvas


def _read_score(score: object) -> float:
    if score is None:
        return 0.0
    if isinstance(score, bool) or not isinstance(score, (int, float)):
        raise AnswerUnreadable(f"The answer has the score {show(score)}, which is no number.")
    return float(max(-_MAX_SCORE, min(_MAX_SCORE, score)))


def _is_named(label: object, name: str | None) -> bool:
    return isinstance(label, (str, int)) and str(label) == name


def _find_label(label: object, table: LabelTable, first_label: int) -> int:
    if isinstance(label, str) and label in table.indices:
        return table.indices[label]
    # Booleans are whole numbers to Python, and none here.
    if type(label) is int and 0 <= label - first_label < len(table.names):
        return label - first_label
    raise AnswerUnreadable(f"The answer has the label {show(label)}, which the preset lacks.")
