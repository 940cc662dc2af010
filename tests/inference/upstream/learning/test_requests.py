"""Requests lead back to doors that read them as the shipped presets do."""

import json
from base64 import b64encode, encodebytes, urlsafe_b64encode
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.upstream.learning.sample import Sample
from inference.upstream.presets.doors import find_door
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.requests.form_parts import FormPart, write_parts
from inference.upstream.requests.read import read_request
from tests.inference.upstream.learning.conftest import LIMITS, Reload, find, learn, make_sample

_JSON = "application/json"


def _picture(kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (12, 9, 3), np.uint8)
    buffer = BytesIO()
    Pillow.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


_PNG = _picture()
_TEXT = b64encode(_PNG).decode()
_GRADIO_FILE = {"path": "/tmp/gradio/a.png", "meta": {"_type": "gradio.FileData"}}  # noqa: S108


def _json(path: str, document: object) -> Sample:
    return make_sample(json.dumps(document).encode(), _JSON, path=path)


def _form(path: str, *parts: FormPart) -> Sample:
    body = write_parts(parts)
    return make_sample(body.data, body.content_type, path=path)


def _binary() -> Sample:
    element = len(_PNG).to_bytes(4, "little") + _PNG
    tensor: dict[str, Any] = {"name": "image", "datatype": "BYTES", "shape": [1]}
    tensor["parameters"] = {"binary_data_size": len(element)}
    head = json.dumps({"inputs": [tensor]}).encode()
    more = ((b"inference-header-content-length", str(len(head)).encode()),)
    body = head + element
    return make_sample(body, "application/octet-stream", path="/v2/models/m/infer", more=more)


def _v2(**members: Any) -> Sample:
    return _json("/v2/models/m/infer", {"inputs": [{"name": "image", "shape": [1], **members}]})


_REQUESTS: dict[str, tuple[str, Sample]] = {
    "form, file": ("form", _form("/parse", FormPart("file", "a.png", "image/png", _PNG))),
    "form, beside a word": (
        "form",
        _form(
            "/predict",
            FormPart("mode", None, None, b"fast"),
            FormPart("img", "a.jpg", "image/jpeg", _picture("JPEG")),
        ),
    ),
    "form, base64": ("form", _json("/api/parse", {"image": _TEXT, "mode": "fast"})),
    "form, data URL": ("form", _json("/", {"img": f"data:image/png;base64,{_TEXT}"})),
    "form, broken lines": ("form", _json("/", {"img": encodebytes(_PNG).decode()})),
    "gradio, upload": (
        "gradio",
        _form("/gradio_api/upload", FormPart("files", "a.png", "image/png", _PNG)),
    ),
    "gradio, path": ("gradio", _json("/gradio_api/run/parse", {"data": [_GRADIO_FILE]})),
    "gradio, data URL": (
        "gradio",
        _json(
            "/gradio_api/queue/join",
            {"data": [{**_GRADIO_FILE, "path": None, "url": f"data:image/png;base64,{_TEXT}"}]},
        ),
    ),
    "hf, raw": ("hf", make_sample(_PNG, "image/png", path="/models/m")),
    "hf, undeclared": ("hf", make_sample(_PNG, "application/octet-stream", path="/")),
    "hf, inputs": ("hf", _json("/models/a/b", {"inputs": _TEXT, "parameters": {"x": 1}})),
    "kserve, v1": ("kserve", _json("/v1/models/m:predict", {"instances": [{"b64": _TEXT}]})),
    "kserve, v1 by name": (
        "kserve",
        _json("/v1/models/m:predict", {"instances": [{"image": {"b64": _TEXT}, "id": 7}]}),
    ),
    "kserve, v1 pixels": (
        "kserve",
        _json("/v1/models/m:predict", {"instances": [np.full((4, 5, 3), 7).tolist()]}),
    ),
    "kserve, v2": ("kserve", _v2(datatype="BYTES", data=[_TEXT])),
    "kserve, v2 pixels": (
        "kserve",
        _v2(datatype="UINT8", data=[5] * 60, shape=[4, 5, 3]),
    ),
    "kserve, v2 binary": ("kserve", _binary()),
    "modelscope": ("modelscope", _json("/call", {"input": {"image": _TEXT}})),
    "modelscope, URL alphabet": (
        "modelscope",
        _json("/call", {"input": {"image": urlsafe_b64encode(_PNG).decode().rstrip("=")}}),
    ),
}


@pytest.mark.parametrize("name", _REQUESTS)
def test_a_request_leads_back_to_a_door_that_reads_the_same(name: str, reload: Reload) -> None:
    shipped, sample = _REQUESTS[name]
    expected = find_door(load_preset(shipped), "POST", sample.path)
    lesson = learn(sample)
    door = find_door(reload(lesson), "POST", sample.path)
    assert door is not None
    assert expected is not None
    assert sample.body is not None
    theirs = read_request(expected, sample.headers, sample.body, LIMITS)
    ours = read_request(door, sample.headers, sample.body, LIMITS)
    assert [u.sha256 for u in ours.uploads] == [u.sha256 for u in theirs.uploads]
    assert ours.paths == theirs.paths
    body = {place.body for place in door.places}
    assert body <= {place.body for place in expected.places}
    has_gradio = any("Gradio" in sentence for sentence in lesson.sentences)
    assert has_gradio is any(place.coding == "gradio_file" for place in door.places)


def test_what_one_request_lacks_another_adds(reload: Reload) -> None:
    urls = urlsafe_b64encode(_PNG).decode()
    preset = reload(
        learn(
            _json("/a", {"image": _TEXT}),
            _json("/a", {"photo": f"data:image/png;base64,{urls}"}),
            _form("/a", FormPart("file", "a.png", "image/png", _PNG)),
            _json("/b/a", {"list": [{"image": _TEXT}, {"image": _TEXT}]}),
        )
    )
    first, second = preset.doors
    assert (first.name, second.name) == ("a", "a-2")
    text, form = first.places
    assert (text.names, text.coding, text.alphabet) == (("/image", "/photo"), "either", "either")
    assert (form.body, form.names, form.coding) == ("form", ("file",), "raw")
    assert (second.places[0].names, second.places[0].max_pictures) == (("/list/*/image",), 2)


@pytest.mark.parametrize(
    "sample",
    [
        _json("/log", {"text": "a picture is worth more than many words, they say, of base64"}),
        _form("/log", FormPart("file", "a.txt", "text/plain", b"words")),
        make_sample(b"words", "text/plain"),
        make_sample(b"", "image/png"),
    ],
)
def test_what_has_no_picture_is_not_taken_for_one(sample: Sample) -> None:
    assert find(sample) == []


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [
        (
            _form(
                "/two",
                FormPart("image", "a.png", "image/png", _PNG),
                FormPart("notes", "a.txt", "text/plain", b"words"),
            ),
            "A picture at POST /two could not be read: ",
        ),
        (
            make_sample(f'{{"a": 1, "a": 2, "i": "{_TEXT}"}}'.encode(), _JSON, path="/twice"),
            "A picture at POST /twice could not be read: ",
        ),
        (
            _form("/unnamed", FormPart(" ", "a.png", "image/png", _PNG)),
            "A picture at POST /unnamed could not be read: Its field has a name",
        ),
        (make_sample(_PNG, "image/png", path="/" + "a" * 600), "A request with a picture has a "),
        (make_sample(_PNG, "image/png", path="/a;b\x1b"), "The path '/a;b\\x1b' cannot be a door"),
        (make_sample(_PNG, "image/png", path="/a/*"), "The path '/a/*' cannot be a door's"),
    ],
)
def test_what_cannot_be_a_door_is_said(sample: Sample, sentence: str) -> None:
    lesson = learn(sample)
    assert lesson.preset is None
    assert any(each.startswith(sentence) for each in lesson.sentences), lesson.sentences
