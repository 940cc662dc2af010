"""From the bytes of an answer to a parsing, by the format that a preset states."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from detectors.parsing import Parsing
from inference.labels.label_table import LabelTable
from inference.upstream.answers.answer import ALONE, Answer, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import (
    AnnotatedImage,
    AnswerFormat,
    CocoRle,
    JsonPictures,
    LabelPng,
    MaskList,
    NestedLists,
    PalettePng,
    ScoredMasks,
    Tensors,
)
from inference.upstream.answers.readers.annotated_image import read_annotated_image
from inference.upstream.answers.readers.json_pictures import read_json_pictures
from inference.upstream.answers.readers.label_png import read_label_png
from inference.upstream.answers.readers.mask_list import read_mask_list
from inference.upstream.answers.readers.nested_lists import read_nested_lists
from inference.upstream.answers.readers.palette_png import read_palette_png
from inference.upstream.answers.readers.scored_masks import read_coco_rle, read_scored_masks
from inference.upstream.answers.readers.tensors import read_tensors
from inference.upstream.answers.texts.blocks import join_chunks, split_body

Reader = Callable[[Any, Answer], Parsing]

READERS: Mapping[type, Reader] = {
    LabelPng: read_label_png,
    PalettePng: read_palette_png,
    JsonPictures: read_json_pictures,
    CocoRle: read_coco_rle,
    MaskList: read_mask_list,
    NestedLists: read_nested_lists,
    ScoredMasks: read_scored_masks,
    Tensors: read_tensors,
    AnnotatedImage: read_annotated_image,
}


def read_answer(
    form: AnswerFormat,
    labels: LabelTable,
    content_type: str,
    body: bytes | Iterable[bytes],
    size: tuple[int, int],
    files: Mapping[str, bytes] | None = None,
    part: Part = ALONE,
) -> Parsing:
    """Read an answer. It takes up to some seconds: call it in a thread.

    Memory: label maps and masks of the picture's size, one picture being decoded, and the body;
    nested lists and tensors in JSON are read chunk by chunk, and given up as they are read.

    Args:
        form: how the upstream answers.
        labels: the preset's label table.
        content_type: as the upstream sent it.
        body: without its transport's compression; see
            :func:`inference.upstream.answers.unpack.unpack_chunks`.
        size: height and width of the picture as the upstream saw it.
        files: pictures that the answer only points at, by the path that it has for them; see
            :func:`inference.upstream.answers.readers.annotated_image.list_files`.
        part: of which picture, if the answer is to several.

    Raises:
        AnswerUnreadable: it is not what the format says.
    """
    if not labels.names:
        raise AnswerUnreadable("The preset names no labels, so no answer can be read.")
    if content_type.partition(";")[0].strip().lower() == "text/html":
        raise AnswerUnreadable("The answer is a page, and no parse.")
    if part.count > 1 and not (part.is_sure and holds_several(form)):
        raise AnswerUnreadable("The answer is to several pictures.")
    blocks = split_body(body) if isinstance(body, bytes) else join_chunks(body)
    answer = Answer(content_type, blocks, labels, size, files or {}, part)
    return READERS[type(form)](form, answer)


def holds_several(form: AnswerFormat) -> bool:
    """Whether answers of a form say which parse is of which picture, if there are several."""
    return isinstance(form, Tensors | ScoredMasks | AnnotatedImage)
