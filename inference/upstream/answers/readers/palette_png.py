"""Reads :class:`PalettePng`."""

from detectors.parsing import LabelMap, Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.formats import PalettePng
from inference.upstream.answers.pictures.canvas import Drawing
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.pictures.palettes import match_colours
from inference.upstream.answers.pictures.png_files import read_colours


def read_palette_png(form: PalettePng, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    label_map = read_coloured_labels(form, answer.read_body(), answer.size)
    return parse_drawing(Drawing(label_map), answer.labels)


def read_coloured_labels(form: PalettePng, data: bytes, size: tuple[int, int]) -> LabelMap:
    """The labels ``(H, W)`` of a PNG in the colours of a palette.

    Raises:
        AnswerUnreadable: it is something else, of another size, or has a colour of no label.
    """
    picture = read_colours(data, size)
    if form.order == "bgr":
        picture = picture[..., ::-1]
    return match_colours(picture, form.palette, form.tolerance)
