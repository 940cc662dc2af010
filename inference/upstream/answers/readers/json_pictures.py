"""Reads :class:`JsonPictures`."""

from collections.abc import Mapping
from functools import partial

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import JsonPictures, LabelPng, MaskPng, PalettePng
from inference.upstream.answers.pictures.canvas import Drawing, LabelMask, draw_masks
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.pictures.png_files import read_labels
from inference.upstream.answers.readers.base64_masks import draw_base64
from inference.upstream.answers.readers.palette_png import read_coloured_labels
from inference.upstream.answers.texts.base64_text import decode_base64
from inference.upstream.answers.texts.documents import find_value, read_document


def read_json_pictures(form: JsonPictures, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    value = find_value(read_document(answer.read_body()), form.pointer)
    return parse_drawing(_draw(form.picture, value, answer), answer.labels)


def _draw(picture: LabelPng | PalettePng | MaskPng, value: object, answer: Answer) -> Drawing:
    match picture:
        case LabelPng():
            return Drawing(read_labels(decode_base64(value), answer.size))
        case PalettePng():
            return Drawing(read_coloured_labels(picture, decode_base64(value), answer.size))
        case MaskPng():
            return draw_masks(_list_masks(value, answer.size), answer.labels, answer.size)


def _list_masks(value: object, size: tuple[int, int]) -> list[LabelMask]:
    """Masks by name, or in the order of the indices."""
    if isinstance(value, Mapping):
        texts = list(value.items())
    elif isinstance(value, list):
        texts = list(enumerate(value))
    else:
        raise AnswerUnreadable("The answer has neither an object nor a list of masks.")
    return [LabelMask(label, None, partial(draw_base64, text, size)) for label, text in texts]
