"""Reads :class:`AnnotatedImage`, whose masks are files that the answer only points at."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from detectors.parsing import Parsing
from inference.upstream.answers.answer import Answer
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnnotatedImage
from inference.upstream.answers.pictures.canvas import LabelMask, check_count, draw_masks
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.pictures.png_files import read_alpha
from inference.upstream.answers.texts.documents import find_list, find_value
from inference.upstream.answers.texts.event_stream import read_outputs


def read_annotated_image(form: AnnotatedImage, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    parts = _list_parts(form, answer.content_type, answer.read_body())
    check_count(len(parts), answer.size)
    masks = [
        LabelMask(label, None, partial(_draw_file, answer.files, path, answer.size))
        for path, label in parts
    ]
    return parse_drawing(draw_masks(masks, answer.labels, answer.size), answer.labels)


def list_files(form: AnnotatedImage, content_type: str, body: bytes) -> tuple[str, ...]:
    """The paths of the files with the masks, as the upstream names them, in order.

    Raises:
        AnswerUnreadable: the answer is no such picture.
    """
    return tuple(path for path, _ in _list_parts(form, content_type, body))


def _list_parts(
    form: AnnotatedImage, content_type: str, body: bytes
) -> Sequence[tuple[str, object]]:
    outputs = read_outputs(content_type, body)
    parts = find_list(outputs, f"/{form.output}/annotations")
    return [(str(find_value(part, "/image/path")), find_value(part, "/label")) for part in parts]


def _draw_file(
    files: Mapping[str, bytes], path: str, size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    if path not in files:
        raise AnswerUnreadable("The answer points at a mask that was never fetched.")
    return read_alpha(files[path], size)
