"""Reads :class:`ScoredMasks` and :class:`CocoRle`: lists of objects, each with a mask."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.formats import CocoRle, ScoredMasks
from inference.upstream.answers.pictures.canvas import LabelMask, draw_masks
from inference.upstream.answers.pictures.coco_runs import read_runs
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.readers.base64_masks import draw_base64
from inference.upstream.answers.texts.documents import find_list, find_value, read_document

Draw = Callable[[object, tuple[int, int]], npt.NDArray[np.bool_]]


def read_scored_masks(form: ScoredMasks, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    masks = _list_masks(form, answer, draw_base64)
    drawing = draw_masks(masks, answer.labels, answer.size, form.person_label)
    return parse_drawing(drawing, answer.labels)


def read_coco_rle(form: CocoRle, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    masks = _list_masks(form, answer, read_runs)
    drawing = draw_masks(masks, answer.labels, answer.size, form.person_label, form.first_label)
    return parse_drawing(drawing, answer.labels)


def _list_masks(form: ScoredMasks | CocoRle, answer: Answer, draw: Draw) -> list[LabelMask]:
    items = find_list(read_document(answer.read_body()), form.items)
    return [
        LabelMask(
            label=find_value(item, form.label),
            score=None if form.score is None else find_value(item, form.score),
            draw=partial(draw, find_value(item, form.mask), answer.size),
        )
        for item in items
    ]
