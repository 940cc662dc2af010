"""Reads :class:`LabelPng`."""

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.formats import LabelPng
from inference.upstream.answers.pictures.canvas import Drawing
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.pictures.png_files import read_labels


def read_label_png(_format: LabelPng, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    return parse_drawing(Drawing(read_labels(answer.read_body(), answer.size)), answer.labels)
