"""Reads :class:`AnnotatedImage`, whose masks are files that the answer only points at."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from detectors.parsing import Parsing
from inference.upstream.answers.answer import ALONE, Answer, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnnotatedImage
from inference.upstream.answers.pictures.canvas import LabelMask, check_count, draw_masks
from inference.upstream.answers.pictures.one_hot import parse_drawing
from inference.upstream.answers.pictures.png_files import read_alpha
from inference.upstream.answers.texts.documents import find_list, find_value
from inference.upstream.answers.texts.event_stream import read_outputs


def read_annotated_image(form: AnnotatedImage, answer: Answer) -> Parsing:
    """The parsing of an answer; see :func:`inference.upstream.answers.read_answer.read_answer`."""
    parts = _list_parts(form, answer.content_type, answer.read_body(), answer.part)
    check_count(len(parts), answer.size)
    masks = [
        LabelMask(label, None, partial(_draw_file, answer.files, path, answer.size))
        for path, label in parts
    ]
    return parse_drawing(draw_masks(masks, answer.labels, answer.size), answer.labels)


def list_files(
    form: AnnotatedImage, content_type: str, body: bytes, part: Part = ALONE
) -> tuple[str, ...]:
    """The paths of the files with the masks of one picture, as the upstream names them, in order.

    Raises:
        AnswerUnreadable: the answer is no such picture.
    """
    return tuple(path for path, _ in _list_parts(form, content_type, body, part))


def _list_parts(
    form: AnnotatedImage, content_type: str, body: bytes, part: Part
) -> Sequence[tuple[str, object]]:
    outputs = read_outputs(content_type, body)
    parts = find_list(outputs, f"/{_find_output(form, outputs, part)}/annotations")
    return [(str(find_value(part, "/image/path")), find_value(part, "/label")) for part in parts]


def _find_output(form: AnnotatedImage, outputs: Sequence[object], part: Part) -> int:
    """Of several pictures each has its annotated image, in their order."""
    if part.count == 1:
        return form.output
    annotated = [
        index
        for index, output in enumerate(outputs)
        if isinstance(output, Mapping) and "annotations" in output
    ]
    if len(annotated) != part.count:
        raise AnswerUnreadable(f"The answer has not one annotated image for each of {part.count}.")
    return annotated[part.place]


def _draw_file(
    files: Mapping[str, bytes], path: str, size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    if path not in files:
        raise AnswerUnreadable("The answer points at a mask that was never fetched.")
    return read_alpha(files[path], size)
