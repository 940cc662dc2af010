"""Answers that are numbers: nested lists and tensors, read as they come, for they are large."""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np

from inference.labels.label_table import MAX_LABELS
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import NestedLists, Tensors
from inference.upstream.answers.texts.blocks import split_body
from inference.upstream.answers.texts.json_cursor import JsonCursor, walk_document
from inference.upstream.answers.texts.kserve import read_v1, read_v2
from inference.upstream.learning.answers.proposal import Proposal, find_person, split_labels

_Size = tuple[int, int]
_Floats = np.ndarray
_NAME = rb'"([^"\\/~]{1,60})"\s{0,9}:\s{0,9}'
_MASKS = re.compile(_NAME + rb"\[\s{0,9}\[\s{0,9}\[")
_OBJECT = re.compile(_NAME + rb"\{")
_COLUMN = re.compile(_NAME + rb'\[\s{0,9}["0-9-]')
_TENSOR = re.compile(rb'"name"\s{0,9}:\s{0,9}"([^"\\]{1,100})"')
_PREDICTION = re.compile(_NAME + rb"\[")
_MAX_NAMES = 8
_MAX_SUM_ERROR = 0.02
_SCORES = ("scores", "score", "confidences", "probabilities")
_LABELS = ("labels", "label", "names", "classes")
_PLANE = 2
_STACK = 3


def propose_nested(body: bytes) -> Iterator[Proposal]:
    """Masks as nested lists, beside lists of labels and scores."""
    for name in _find_names(_MASKS, body):
        for prefix in ["", *(f"/{key}" for key in _find_names(_OBJECT, body))]:
            columns = _read_columns(body, prefix, name)
            if columns is not None:
                yield from _propose_columns(prefix, name, columns)


def propose_tensors(body: bytes, size: _Size) -> Iterator[Proposal]:
    """Outputs of KServe's protocols."""
    if b'"outputs"' in body:
        names = [None, *_find_names(_TENSOR, body)]
        yield from (p for name in names for p in _propose_tensor("v2", name, body, size))
    elif b'"predictions"' in body:
        keys = [key for key in _find_names(_PREDICTION, body) if key != "predictions"]
        yield from (p for name in [None, *keys] for p in _propose_tensor("v1", name, body, size))


def _find_names(pattern: re.Pattern[bytes], body: bytes) -> list[str]:
    names: dict[str, None] = {}
    for match in pattern.finditer(body):
        names[match[1].decode("utf-8", "replace")] = None
        if len(names) == _MAX_NAMES:
            break
    return list(names)


def _read_columns(body: bytes, prefix: str, masks: str) -> dict[str, list[object]] | None:
    """The lists beside the masks that are as long; ``None`` if the masks are not there."""
    names = set(_find_names(_COLUMN, body))
    columns: dict[str, object] = {}
    counts: list[int] = []

    def keep(cursor: JsonCursor) -> None:
        for name in cursor.iterate_names():
            if name == masks:
                counts.append(_count_members(cursor))
            elif name in names:
                columns[name] = cursor.read_value()
            else:
                cursor.skip_value()

    try:
        walk_document(JsonCursor(split_body(body)), {prefix: keep})
    except AnswerUnreadable:
        return None
    if len(counts) != 1:
        return None
    return {k: c for k, c in columns.items() if isinstance(c, list) and len(c) == counts[0]}


def _count_members(cursor: JsonCursor) -> int:
    count = 0
    for _ in cursor.iterate_places():
        cursor.skip_value()
        count += 1
    return count


def _propose_columns(
    prefix: str, masks: str, columns: dict[str, list[object]]
) -> Iterator[Proposal]:
    label = next((key for key in _LABELS if key in columns), None)
    score = next((key for key in _SCORES if key in columns), None)
    split = None if label is None else split_labels(columns[label])
    if split is not None:
        yield Proposal(
            NestedLists(
                masks=f"{prefix}/{masks}",
                labels=f"{prefix}/{label}",
                scores=None if score is None else f"{prefix}/{score}",
                person_label=find_person(split[0]),
            ),
            *split,
        )


def _propose_tensor(version: str, name: str | None, body: bytes, size: _Size) -> Iterator[Proposal]:
    read = read_v1 if version == "v1" else read_v2
    try:
        values = _squeeze(read(split_body(body), name))
    except AnswerUnreadable:
        return
    make = partial(Tensors, version=version, output=name)
    if values.ndim == _PLANE and min(values.shape) > 1:
        whole = values.clip(0, MAX_LABELS - 1)
        if (whole.astype(np.uint8) == values).all():
            is_scaled = values.shape != size
            yield Proposal(make(is_scaled=is_scaled), top=int(values.max()))
    elif values.ndim == _STACK:
        yield from _propose_channels(make, values, size)


def _propose_channels(make: partial[Tensors], values: _Floats, size: _Size) -> Iterator[Proposal]:
    if size in (values.shape[1:], values.shape[:2]):
        is_scaled, is_chw = False, values.shape[1:] == size
    else:
        is_scaled, is_chw = True, values.shape[0] <= values.shape[2]
    channels = values.shape[0 if is_chw else 2]
    if not 1 < channels <= MAX_LABELS:
        return
    sums = values.sum(axis=0 if is_chw else 2)
    is_share = values.min() >= 0 and np.abs(sums - 1).max() <= _MAX_SUM_ERROR
    yield Proposal(
        make(
            content="probabilities" if is_share else "logits",
            layout="chw" if is_chw else "hwc",
            is_scaled=is_scaled,
        ),
        top=channels - 1,
    )


def _squeeze(values: _Floats) -> _Floats:
    while values.ndim > _PLANE and values.shape[0] == 1:
        values = values[0]
    if values.ndim == _STACK and values.shape[-1] == 1:
        return values[..., 0]
    return values
