"""Reads :class:`ScoredMasks` and :class:`CocoRle`: lists of objects, each with a mask."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import CocoRle, ScoredMasks
from inference.upstream.answers.pictures.canvas import LabelMask, draw_masks
from inference.upstream.answers.pictures.coco_runs import read_runs
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.readers.base64_masks import draw_base64
from inference.upstream.answers.texts.documents import find_list, find_value, read_document

Draw = Callable[[object, tuple[int, int]], npt.NDArray[np.bool_]]
Choose = Callable[[Sequence[object], Part], Sequence[object]]


def read_scored_masks(form: ScoredMasks, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    masks = _list_masks(form, answer, draw_base64, _choose_list)
    drawing = draw_masks(masks, answer.labels, answer.size, form.person_label)
    return parse_drawing(drawing, answer.labels)


def read_coco_rle(form: CocoRle, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    masks = _list_masks(form, answer, read_runs, lambda items, _: items)
    drawing = draw_masks(masks, answer.labels, answer.size, form.person_label, form.first_label)
    return parse_drawing(drawing, answer.labels)


def _list_masks(
    form: ScoredMasks | CocoRle, answer: Answer, draw: Draw, choose: Choose
) -> list[LabelMask]:
    document = read_document(answer.read_body())
    items = choose(find_list(document, form.items), answer.part)
    return [
        LabelMask(
            label=find_value(item, form.label),
            score=None if form.score is None else find_value(item, form.score),
            draw=partial(draw, find_value(item, form.mask), answer.size),
        )
        for item in items
    ]


def _choose_list(items: Sequence[object], part: Part) -> Sequence[object]:
    """The masks of one picture: a list of pictures, also of one, is answered by one of lists."""
    if part.count == 1 and not (len(items) == 1 and isinstance(items[0], list)):
        return items
    chosen = items[part.place] if len(items) == part.count else None
    if not isinstance(chosen, list):
        raise AnswerUnreadable(f"The answer has not one list of masks for each of {part.count}.")
    return chosen
