"""One small parse, written in every kind of answer."""

import json
import struct
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from pycocotools import mask as coco

from detectors.parsing import LabelMap
from inference.labels.label_table import LabelTable
from inference.upstream.answers.formats import (
    AnnotatedImage,
    AnswerFormat,
    CocoRle,
    JsonPictures,
    LabelPng,
    MaskList,
    MaskPng,
    NestedLists,
    PalettePng,
    ScoredMasks,
    Tensors,
)

NAMES = ("bg", "Visage", "tail", "Pants")
TABLE = LabelTable(names=NAMES, groups={"Visage": "face"})
PALETTE = ((0, 0, 0), (250, 10, 20), (1, 2, 3), (90, 91, 92))
SIZE = (9, 7)


def _draw() -> LabelMap:
    label_map = np.zeros(SIZE, dtype=np.uint8)
    label_map[1:3, 2:5] = 1
    label_map[3:6, 1:6] = 3
    label_map[6:, 0] = 2
    return label_map


LABEL_MAP = _draw()
PERSON = LABEL_MAP > 0


def png(pixels: npt.NDArray[Any], mode: str | None = None) -> bytes:
    """A PNG of uint8 pixels; mode P takes them for indices."""
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    if mode == "P":
        picture = picture.convert("P")
        picture.putpalette([200] * 768)
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def mask_png(label: int) -> bytes:
    """A grey PNG of one label."""
    return png(np.equal(LABEL_MAP, label).astype(np.uint8) * 255)


def base64(data: bytes) -> str:
    """Base64 in the standard alphabet."""
    return b64encode(data).decode()


def colours(order: str = "rgb") -> bytes:
    """A PNG in the colours of the palette."""
    picture = np.array(PALETTE, dtype=np.uint8)[LABEL_MAP]
    return png(picture if order == "rgb" else picture[..., ::-1])


def alpha_png(label: int) -> bytes:
    """A red PNG that is opaque where the label is."""
    picture = np.zeros((*SIZE, 4), dtype=np.uint8)
    picture[..., 0] = 255
    picture[..., 3] = np.where(label == LABEL_MAP, 255, 0)
    return png(picture)


def packed_runs(mask: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's run-length encoding as pycocotools writes it."""
    runs = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": list(runs["size"]), "counts": runs["counts"].decode()}


def listed_runs(mask: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """The same as numbers."""
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [2]])
    changes = np.flatnonzero(np.diff(flat))
    counts = np.diff(np.concatenate([[0], changes])).tolist()
    return {"size": list(mask.shape), "counts": counts}


@dataclass(frozen=True)
class AnswerCase:
    """An answer that shows `LABEL_MAP`.

    Attributes:
        has_persons: whether it says that all of it is one person.
    """

    form: AnswerFormat
    body: bytes
    content_type: str = "application/json"
    files: Mapping[str, bytes] = field(default_factory=dict)
    has_persons: bool = False


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _shares() -> npt.NDArray[np.float32]:
    """Probabilities ``(C, H, W)``."""
    shares = np.full((len(NAMES), *SIZE), 0.1, dtype=np.float32)
    np.put_along_axis(shares, LABEL_MAP[None].astype(np.int64), 0.7, axis=0)
    return shares


def _v2(output: dict[str, Any], data: bytes = b"") -> bytes:
    other = {"name": "time", "datatype": "FP32", "shape": [1], "data": [0.25]}
    outputs = [{"name": "mask", **output}] if data else [other, {"name": "mask", **output}]
    return _json({"model_name": "parser", "outputs": outputs}) + data


def _binary(kind: str, datatype: str, values: npt.NDArray[Any]) -> bytes:
    data = values.astype(kind).tobytes()
    parameters = {"binary_data_size": len(data)}
    shape = list(values.shape)
    return _v2({"datatype": datatype, "shape": shape, "parameters": parameters}, data)


_LISTED = [{"label": NAMES[i], "score": 0.9, "mask": base64(mask_png(i))} for i in (1, 2, 3)]
_ANNOTATIONS = [
    {"image": {"path": f"/cache/{i}.png", "url": "http://x"}, "label": NAMES[i]} for i in (1, 2, 3)
]
_OUTPUTS = ["words", {"image": {"path": "/cache/0.webp"}, "annotations": _ANNOTATIONS}]
_FILES = {f"/cache/{i}.png": alpha_png(i) for i in (1, 2, 3)}
_MASKS = [np.equal(LABEL_MAP, i).astype(int).tolist() for i in (1, 2, 3)]
_NESTED = {"labels": [*NAMES[1:], "Human"], "scores": [0.5, 0.6, 0.7, 0.99]}
_NESTED_MASKS = [*_MASKS, PERSON.astype(int).tolist()]
_RUNS = [(1, LABEL_MAP == 1), (2, LABEL_MAP == 2), (3, LABEL_MAP == 3), (9, PERSON)]
_SSE = "text/event-stream; charset=utf-8"
_COMPLETED = {"msg": "process_completed", "event_id": "e", "output": {"data": _OUTPUTS}}

CASES: dict[str, AnswerCase] = {
    "grey labels": AnswerCase(LabelPng(), png(LABEL_MAP), "image/png"),
    "palette labels": AnswerCase(LabelPng(), png(LABEL_MAP, "P"), "image/png"),
    "colours": AnswerCase(PalettePng(palette=PALETTE), colours(), "image/png"),
    "colours of OpenCV": AnswerCase(
        PalettePng(palette=PALETTE, order="bgr"), colours("bgr"), "image/png"
    ),
    "labels in JSON": AnswerCase(
        JsonPictures(pointer="/result/0/mask"),
        _json({"result": [{"mask": base64(png(LABEL_MAP))}]}),
    ),
    "colours in a data URL": AnswerCase(
        JsonPictures(pointer="/mask", picture=PalettePng(palette=PALETTE)),
        _json({"mask": f"data:image/png;base64,{base64(colours())}"}),
    ),
    "masks by name": AnswerCase(
        JsonPictures(pointer="/masks", picture=MaskPng()),
        _json({"masks": {NAMES[i]: base64(mask_png(i)) for i in (1, 2, 3)}}),
    ),
    "masks by place": AnswerCase(
        JsonPictures(pointer="", picture=MaskPng()),
        _json([urlsafe_b64encode(mask_png(i)).decode() for i in range(4)]),
    ),
    "scored masks": AnswerCase(ScoredMasks(), _json(_LISTED)),
    "masks without scores": AnswerCase(
        ScoredMasks(), _json([{**each, "score": None} for each in _LISTED])
    ),
    "mask list": AnswerCase(
        MaskList(),
        _json({"masks": [base64(mask_png(i)) for i in (1, 2, 3)], "labels": [1, 2, 3]}),
    ),
    "packed runs": AnswerCase(
        CocoRle(items="/annotations", first_label=1, person_label="9"),
        _json(
            {
                "annotations": [
                    {"category_id": i if i == 9 else i + 1, "segmentation": packed_runs(mask)}
                    for i, mask in _RUNS
                ]
            }
        ),
        has_persons=True,
    ),
    "listed runs": AnswerCase(
        CocoRle(), _json([{"category_id": i, "segmentation": listed_runs(m)} for i, m in _RUNS[:3]])
    ),
    "nested lists": AnswerCase(
        NestedLists(person_label="Human"),
        _json({"masks": _NESTED_MASKS, **_NESTED}),
        has_persons=True,
    ),
    "nested lists behind their labels": AnswerCase(
        NestedLists(masks="/Data/masks", labels="/Data/labels", scores=None),
        _json({"Code": 200, "Data": {"labels": [1, 2, 3], "more": [{"a": "]"}], "masks": _MASKS}}),
    ),
    "nested booleans": AnswerCase(
        NestedLists(scores=None),
        _json({"masks": np.array(_MASKS, dtype=bool).tolist(), "labels": [1, 2, 3]}),
    ),
    "nested floats": AnswerCase(
        NestedLists(scores=None),
        _json({"masks": np.array(_MASKS, dtype=float).tolist(), "labels": [1, 2, 3]}),
    ),
    "nested shares": AnswerCase(
        NestedLists(scores=None, threshold=0.25),
        _json({"masks": (np.array(_MASKS) * 0.3).tolist(), "labels": [1, 2, 3]}),
    ),
    "v1": AnswerCase(Tensors(version="v1"), _json({"predictions": [LABEL_MAP.tolist()]})),
    "v1 by name": AnswerCase(
        Tensors(version="v1", output="mask"),
        _json({"predictions": [{"time": [1], "mask": LABEL_MAP[..., None].tolist()}]}),
    ),
    "v1 probabilities": AnswerCase(
        Tensors(version="v1", content="probabilities", layout="hwc"),
        _json({"predictions": [np.round(_shares().transpose(1, 2, 0), 3).tolist()]}),
    ),
    "v2": AnswerCase(
        Tensors(output="mask"),
        _v2({"datatype": "UINT8", "shape": [1, *SIZE], "data": LABEL_MAP.ravel().tolist()}),
    ),
    "v2 logits": AnswerCase(
        Tensors(output="mask", content="logits"),
        _v2(
            {
                "datatype": "FP32",
                "shape": [1, len(NAMES), *SIZE],
                "data": np.log(_shares()).ravel().tolist(),
            }
        ),
    ),
    "v2 binary labels": AnswerCase(
        Tensors(), _binary("<i8", "INT64", LABEL_MAP[None]), "application/octet-stream"
    ),
    "v2 binary shares": AnswerCase(
        Tensors(content="probabilities"),
        _binary("<f2", "FP16", _shares()),
        "application/octet-stream",
    ),
    "run": AnswerCase(AnnotatedImage(output=1), _json({"data": _OUTPUTS}), files=_FILES),
    "call": AnswerCase(
        AnnotatedImage(output=1),
        b"event: generating\ndata: null\n\nevent: complete\ndata: " + _json(_OUTPUTS) + b"\n\n",
        _SSE,
        _FILES,
    ),
    "queue": AnswerCase(
        AnnotatedImage(output=1),
        b'data: {"msg": "estimation"}\r\n\r\ndata: ' + _json(_COMPLETED) + b"\r\n\r\n",
        _SSE,
        _FILES,
    ),
}


def header_of(width: int, height: int) -> bytes:
    """The beginning of a PNG that says it is that large."""
    header = struct.pack(">II", width, height) + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + header
