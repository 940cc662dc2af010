"""Answers in JSON of few values: pictures at pointers, lists of objects with masks."""

from collections.abc import Iterator, Mapping, Sequence

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import (
    AnnotatedImage,
    CocoRle,
    JsonPictures,
    LabelPng,
    MaskList,
    MaskPng,
    PalettePng,
    ScoredMasks,
)
from inference.upstream.answers.texts.base64_text import decode_base64
from inference.upstream.answers.texts.documents import find_value, read_document
from inference.upstream.answers.texts.event_stream import read_outputs
from inference.upstream.learning.answers.png_answers import is_mask, propose_png
from inference.upstream.learning.answers.proposal import Proposal, find_person, split_labels
from inference.upstream.requests.json_places import write_pointer

_Size = tuple[int, int]
_Node = tuple[str, object]
_MAX_DEPTH = 6
_MAX_NODES = 2_000
_MIN_CHARACTERS = 40
_SCORES = ("score", "scores", "confidence", "confidences", "probability", "probabilities")
_LABELS = ("label", "labels", "name", "names", "category", "category_id", "class", "class_id")


def propose_documents(body: bytes, size: _Size) -> Iterator[Proposal]:
    """Every format by which a document may be read."""
    try:
        document = read_document(body)
    except AnswerUnreadable:
        return
    for count, (pointer, value) in enumerate(_walk(document)):
        if count == _MAX_NODES:
            return
        yield from _propose_node(pointer, value, size)


def propose_annotated(content_type: str, body: bytes) -> Iterator[Proposal]:
    """Gradio's annotated picture; its masks are files that are fetched later."""
    try:
        outputs = read_outputs(content_type, body)
    except AnswerUnreadable:
        return
    for index, output in enumerate(outputs):
        parts = output.get("annotations") if isinstance(output, dict) else None
        if not isinstance(parts, list) or not parts:
            continue
        try:
            labels = [find_value(part, "/label") for part in parts]
            [find_value(part, "/image/path") for part in parts]
        except AnswerUnreadable:
            continue
        if (split := split_labels(labels)) is not None:
            yield Proposal(AnnotatedImage(output=index), *split)


def _walk(value: object, place: tuple[str | int, ...] = ()) -> Iterator[_Node]:
    yield write_pointer(place), value
    if len(place) == _MAX_DEPTH:
        return
    members = value.items() if isinstance(value, dict) else ()
    for step, member in members or (enumerate(value) if isinstance(value, list) else ()):
        if isinstance(member, dict | list | str):
            yield from _walk(member, (*place, step))


def _propose_node(pointer: str, value: object, size: _Size) -> Iterator[Proposal]:
    if isinstance(value, str):
        yield from _propose_picture(pointer, value, size)
    elif isinstance(value, list) and value:
        yield from _propose_items(pointer, value, size)
        yield from _propose_masks(pointer, list(enumerate(value)), size)
    elif isinstance(value, dict) and value:
        yield from _propose_columns(pointer, value, size)
        yield from _propose_masks(pointer, list(value.items()), size)


def _propose_picture(pointer: str, text: str, size: _Size) -> Iterator[Proposal]:
    data = _decode(text)
    for found in propose_png(data, size) if data is not None else ():
        if isinstance(found.form, LabelPng | PalettePng):
            form = JsonPictures(pointer=pointer, picture=found.form)
            yield Proposal(form, (), found.top, found.colours)


def _propose_masks(
    pointer: str, members: Sequence[tuple[str | int, object]], size: _Size
) -> Iterator[Proposal]:
    """Masks by name, or in the order of the indices."""
    if all(_is_mask_text(text, size) for _, text in members):
        split = split_labels([label for label, _ in members])
        if split is not None:
            yield Proposal(JsonPictures(pointer=pointer, picture=MaskPng()), *split)


def _propose_items(pointer: str, items: Sequence[object], size: _Size) -> Iterator[Proposal]:
    objects = [item for item in items if isinstance(item, dict)]
    if len(objects) < len(items):
        return
    for key in objects[0]:
        values = [item.get(key) for item in objects]
        is_runs = all(isinstance(value, dict) and "counts" in value for value in values)
        if not is_runs and not all(_is_mask_text(value, size) for value in values):
            continue
        columns = {k: [item.get(k) for item in objects] for k in objects[0] if k != key}
        label, score = _find_labels(columns), _find_scores(columns)
        if label is None or (split := split_labels(columns[label])) is None:
            continue
        make = CocoRle if is_runs else ScoredMasks
        form = make(
            items=pointer,
            label=write_pointer((label,)),
            score=None if score is None else write_pointer((score,)),
            mask=write_pointer((key,)),
            person_label=find_person(split[0]),
        )
        yield Proposal(form, *split)


def _propose_columns(pointer: str, value: Mapping[str, object], size: _Size) -> Iterator[Proposal]:
    """Masks in one list, labels and scores in others."""
    lists = {key: member for key, member in value.items() if isinstance(member, list) and member}
    for key, masks in lists.items():
        if not all(_is_mask_text(text, size) for text in masks):
            continue
        columns = {k: c for k, c in lists.items() if k != key and len(c) == len(masks)}
        label, score = _find_labels(columns), _find_scores(columns)
        if label is None or (split := split_labels(columns[label])) is None:
            continue
        form = MaskList(
            masks=pointer + write_pointer((key,)),
            labels=pointer + write_pointer((label,)),
            scores=None if score is None else pointer + write_pointer((score,)),
            person_label=find_person(split[0]),
        )
        yield Proposal(form, *split)


def _find_labels(columns: Mapping[str, list[object]]) -> str | None:
    """The column with labels: by its name, else the first one that may be it."""
    fits = [key for key, column in columns.items() if split_labels(column) is not None]
    return next((key for key in _LABELS if key in fits), fits[0] if fits else None)


def _find_scores(columns: Mapping[str, list[object]]) -> str | None:
    """The column with scores; scores that are all missing count as well."""
    for key in _SCORES:
        if all(isinstance(v, int | float | None) for v in columns.get(key, ["none"])):
            return key
    return None


def _is_mask_text(value: object, size: _Size) -> bool:
    data = _decode(value)
    return data is not None and is_mask(data, size)


def _decode(value: object) -> bytes | None:
    if not isinstance(value, str) or len(value) < _MIN_CHARACTERS:
        return None
    try:
        return decode_base64(value)
    except AnswerUnreadable:
        return None
