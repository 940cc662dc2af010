"""Reads :class:`MaskList`."""

from functools import partial

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import MaskList
from inference.upstream.answers.pictures.canvas import LabelMask, draw_masks
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.readers.base64_masks import draw_base64
from inference.upstream.answers.texts.documents import find_list, read_document


def read_mask_list(form: MaskList, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    document = read_document(answer.read_body())
    texts = find_list(document, form.masks)
    labels = find_list(document, form.labels)
    scores = [None] * len(texts) if form.scores is None else find_list(document, form.scores)
    if not len(texts) == len(labels) == len(scores):
        raise AnswerUnreadable("The answer has not as many labels and scores as masks.")
    masks = [
        LabelMask(label, score, partial(draw_base64, text, answer.size))
        for text, label, score in zip(texts, labels, scores, strict=True)
    ]
    drawing = draw_masks(masks, answer.labels, answer.size, form.person_label)
    return parse_drawing(drawing, answer.labels)
