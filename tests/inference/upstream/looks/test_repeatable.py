"""Requests of every preset with another picture in them."""

import json
from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.upstream.frames import Frame
from inference.upstream.looks.repeatable import Repeatable, find_repeatable
from inference.upstream.presets.doors import find_door
from inference.upstream.presets.preset import Door
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.requests.form_parts import FormPart, write_parts
from inference.upstream.requests.read import read_request
from inference.upstream.requests.sent_request import RequestLimits, SentRequest

LIMITS = RequestLimits(max_picture_bytes=100_000)
HEIGHT, WIDTH = 24, 16
JSON = "application/json"
Body = tuple[str, str, str, bytes, dict[str, str]]


def _draw(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Image:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, 3), np.uint8)


def _save(image: Image) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def _write_form() -> Body:
    parts = [
        FormPart("size", None, None, b"2"),
        FormPart("image", "a.png", "image/png", _save(_draw(1))),
    ]
    body = write_parts(parts)
    return "form", "/predict", body.content_type, body.data, {}


def _write_json(preset: str, path: str, document: Any) -> Body:
    return preset, path, JSON, json.dumps(document).encode(), {}


def _write_binary() -> Body:
    pixels = _draw(1).tobytes()
    tensor = {"name": "x", "shape": [1, HEIGHT, WIDTH, 3], "datatype": "UINT8"}
    document = {"inputs": [{**tensor, "parameters": {"binary_data_size": len(pixels)}}]}
    head = json.dumps(document).encode()
    headers = {"inference-header-content-length": str(len(head))}
    return "kserve", "/v2/models/m/infer", "application/octet-stream", head + pixels, headers


_TEXT = b64encode(_save(_draw(1))).decode()
BODIES: dict[str, Body] = {
    "form": _write_form(),
    "form_json": _write_json("form", "/predict", {"image": f"data:image/png;base64,{_TEXT}"}),
    "hf_raw": ("hf", "/", "image/png", _save(_draw(1)), {}),
    "hf": _write_json("hf", "/models/a/b", {"inputs": _TEXT}),
    "modelscope": _write_json("modelscope", "/call", {"input": {"image": _TEXT}}),
    "kserve_v1": _write_json("kserve", "/v1/models/m:predict", {"instances": [{"b64": _TEXT}]}),
    "kserve_v1_numbers": _write_json(
        "kserve", "/v1/models/m:predict", {"instances": [_draw(1).tolist()]}
    ),
    "kserve_binary": _write_binary(),
}
FIXED = {"kserve_v1", "kserve_v1_numbers", "kserve_binary"}


def _door(preset: str, path: str) -> Door:
    door = find_door(load_preset(preset), "POST", path.encode())
    assert door is not None
    return door


def _read(door: Door, content_type: str, data: bytes, headers: dict[str, str]) -> SentRequest:
    pairs = {"content-type": content_type, **{name.lower(): v for name, v in headers.items()}}
    return read_request(door, [(k.encode(), v.encode()) for k, v in pairs.items()], data, LIMITS)


def _find(body: Body, frame: Frame, *, has_credentials: bool = False) -> Repeatable | None:
    preset, path, content_type, data, headers = body
    door = _door(preset, path)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"k=1",
        "client": ("203.0.113.7", 1),
        "headers": [
            (b"host", b"a.example"),
            (b"accept-encoding", b"br"),
            (b"cookie", b"session=1"),
            (b"x-api-key", b"theirs"),
        ],
    }
    sent = _read(door, content_type, data, headers)
    return find_repeatable(door, scope, sent, frame, has_credentials=has_credentials)


@pytest.mark.parametrize("name", BODIES)
def test_another_picture_takes_the_place_of_the_one_that_was_sent(name: str) -> None:
    body, picture = BODIES[name], _draw(2)
    repeatable = _find(body, Frame(HEIGHT, WIDTH))
    assert repeatable is not None
    written, frame = repeatable.write(picture)
    again = _read(
        _door(*body[:2]), written.content_type, written.data, dict(written.headers)
    ).uploads
    assert len(again) == 1
    shown = np.asarray(Pillow.open(BytesIO(again[0].data)).convert("RGB"))
    assert (shown == picture).all()
    assert frame == Frame(HEIGHT, WIDTH)
    assert repeatable.size_bytes > 0


@pytest.mark.parametrize("name", BODIES)
def test_only_tensors_keep_the_size_that_was_sent(name: str) -> None:
    repeatable = _find(BODIES[name], Frame(HEIGHT, WIDTH))
    assert repeatable is not None
    _, frame = repeatable.write(_draw(2, 12, 8))
    assert frame.size == ((HEIGHT, WIDTH) if name in FIXED else (12, 8))


def test_the_rest_of_a_form_stays_as_it_was() -> None:
    repeatable = _find(BODIES["form"], Frame(HEIGHT, WIDTH))
    assert repeatable is not None
    written, _ = repeatable.write(_draw(2))
    assert b'name="size"\r\n\r\n2\r\n' in written.data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_lies_as_the_client_s_does(orientation: int) -> None:
    """Pillow turns it upright again, as a service would that applies EXIF."""
    repeatable = _find(BODIES["hf_raw"], Frame(HEIGHT, WIDTH, orientation))
    assert repeatable is not None
    picture = _draw(2)
    written, _ = repeatable.write(picture)
    lying = Pillow.open(BytesIO(written.data))
    turns = [None, None, *(Pillow.Transpose(n) for n in (0, 3, 1, 5, 4, 6, 2))]
    turn = turns[orientation]
    upright = lying if turn is None else lying.transpose(turn)
    assert (np.asarray(upright) == picture).all()


def test_headers_and_address_of_the_client_stay_behind() -> None:
    shut, open_ = (
        _find(BODIES["hf_raw"], Frame(HEIGHT, WIDTH), has_credentials=each)
        for each in (False, True)
    )
    assert shut is not None
    assert open_ is not None
    assert shut.scope["headers"] == [(b"host", b"a.example")]
    assert [name for name, _ in open_.scope["headers"]] == [b"host", b"cookie", b"x-api-key"]
    assert shut.scope["client"] is open_.scope["client"] is None
    assert shut.scope["query_string"] == b"k=1"


def test_parts_of_a_longer_exchange_are_not_repeated() -> None:
    data = {"data": [{"url": f"data:image/png;base64,{_TEXT}"}]}
    for path in ("/gradio_api/call/predict", "/gradio_api/queue/join", "/gradio_api/run/predict"):
        body = _write_json("gradio", path, data)
        assert _find(body, Frame(HEIGHT, WIDTH)) is None
