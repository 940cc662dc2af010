"""Reads :class:`NestedLists` as they come: never more of the text than a block is in memory."""

from functools import partial

import numpy as np
import numpy.typing as npt

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import NestedLists
from inference.upstream.answers.pictures.canvas import LabelMask, check_count, draw_masks
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.texts.json_cursor import JsonCursor, walk_document
from inference.upstream.answers.texts.number_rows import read_mask

Packed = npt.NDArray[np.uint8]


def read_nested_lists(form: NestedLists, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    masks = _read_masks(form, answer)
    drawing = draw_masks(masks, answer.labels, answer.size, form.person_label)
    return parse_drawing(drawing, answer.labels)


def _read_masks(form: NestedLists, answer: Answer) -> list[LabelMask]:
    packed: list[Packed] = []
    columns: dict[str, object] = {}

    def keep_masks(cursor: JsonCursor) -> None:
        packed.extend(_pack_masks(cursor, answer.size, form.threshold))

    def keep_column(pointer: str, cursor: JsonCursor) -> None:
        columns[pointer] = cursor.read_value()

    handlers = {
        pointer: partial(keep_column, pointer)
        for pointer in (form.labels, form.scores)
        if pointer is not None
    }
    walk_document(JsonCursor(answer.chunks), {**handlers, form.masks: keep_masks})
    labels = columns[form.labels]
    scores = [None] * len(packed) if form.scores is None else columns[form.scores]
    return _join_columns(packed, labels, scores, answer.size)


def _pack_masks(cursor: JsonCursor, size: tuple[int, int], threshold: float) -> list[Packed]:
    """Each mask with eight pixels a byte: all wait until the scores are known."""
    packed = []
    for place in cursor.iterate_places():
        check_count(place + 1, size)
        packed.append(np.packbits(read_mask(cursor, *size, threshold)))
    return packed


def _join_columns(
    packed: list[Packed], labels: object, scores: object, size: tuple[int, int]
) -> list[LabelMask]:
    if not isinstance(labels, list) or not isinstance(scores, list):
        raise AnswerUnreadable("The answer has no lists of labels and scores.")
    if not len(packed) == len(labels) == len(scores):
        raise AnswerUnreadable("The answer has not as many labels and scores as masks.")
    return [
        LabelMask(label, score, partial(_unpack, bits, size))
        for bits, label, score in zip(packed, labels, scores, strict=True)
    ]


def _unpack(bits: Packed, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return np.unpackbits(bits, count=size[0] * size[1]).view(np.bool_).reshape(size)
