"""What was gated is what a real Flask app decodes, pixel by pixel."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from threading import Thread
from typing import Any

import cv2
import flask
import httpx2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps
from werkzeug.serving import BaseWSGIServer, make_server

from inference.gate.decoder.limits import PictureLimits
from inference.gate.faces import FaceFinder
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.sandbox.process import WorkerLimits
from inference.gate.screen import Decoded, Gate, GateLimits
from inference.upstream.requests.form_parts import FormPart, write_parts
from inference.upstream.requests.sent_request import GatedBody
from tests.inference.upstream.requests.conftest import door_of, read, save
from tests.waiting import PATIENCE_SECONDS

_MAX_BYTES = 1_000_000


def _read_picture() -> bytes:
    """As pages written for Flask do it: a file of the form, or base64 in JSON."""
    if flask.request.files:
        return bytes(next(iter(flask.request.files.values())).read())
    text = str(flask.request.get_json()["image"])
    return base64.b64decode(text.rpartition(",")[2])


def _pixels_of_pillow(data: bytes) -> Any:
    return np.asarray(Pillow.open(BytesIO(data)).convert("RGB"))


def _pixels_upright(data: bytes) -> Any:
    return np.asarray(ImageOps.exif_transpose(Pillow.open(BytesIO(data))).convert("RGB"))


def _pixels_of_opencv(data: bytes) -> Any:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels[:, :, ::-1]


_READERS = {"pillow": _pixels_of_pillow, "upright": _pixels_upright, "opencv": _pixels_of_opencv}


def _build_app() -> flask.Flask:
    app = flask.Flask(__name__)

    def parse(reader: str) -> flask.Response:
        pixels = _READERS[reader](_read_picture())
        buffer = BytesIO()
        np.save(buffer, pixels, allow_pickle=False)
        return flask.Response(buffer.getvalue(), content_type="application/octet-stream")

    app.add_url_rule("/<reader>", view_func=parse, methods=["POST"])
    return app


@pytest.fixture(scope="module")
def app() -> Iterator[BaseWSGIServer]:
    server = make_server("127.0.0.1", 0, _build_app(), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    limits = WorkerLimits(_MAX_BYTES, 300_000_000, PATIENCE_SECONDS, 1_000, PictureLimits())
    pool = DecoderPool(1, limits)
    yield Gate(GateLimits(_MAX_BYTES), pool, FaceFinder())
    pool.close()


def _decode(gate: Gate, data: bytes) -> Any:
    decoded = gate.decode(data)
    assert isinstance(decoded, Decoded)
    return decoded.image


def _ask(app: BaseWSGIServer, reader: str, body: GatedBody) -> Any:
    response = httpx2.post(
        f"http://127.0.0.1:{app.port}/{reader}",
        content=body.data,
        headers={"Content-Type": body.content_type},
        trust_env=False,
    )
    assert response.status_code == 200, response.text
    return np.load(BytesIO(response.content), allow_pickle=False)


def _as_form(picture: bytes) -> tuple[bytes, str]:
    decoy = FormPart("note", None, "text/plain", b"name=image\r\n\r\nno picture")
    form = write_parts([decoy, FormPart("image", "\u00fc 'b'.jpg", None, picture)])
    return form.data, form.content_type


def _as_base64(picture: bytes) -> tuple[bytes, str]:
    text = base64.encodebytes(picture).decode()
    return json.dumps({"image": text}).encode(), "application/json"


def _as_data_url(picture: bytes) -> tuple[bytes, str]:
    text = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    return json.dumps({"image": text}).encode(), "application/json"


_WAYS = [_as_form, _as_base64, _as_data_url]


@pytest.mark.parametrize("reader", ["upright", "opencv"])
@pytest.mark.parametrize("way", _WAYS)
def test_a_picture_that_goes_on_as_it_came_is_decoded_as_the_gate_did(
    app: BaseWSGIServer, gate: Gate, turned_jpeg: bytes, way: Any, reader: str
) -> None:
    sent = read(door_of("form", "/predict"), *way(turned_jpeg))
    (upload,) = sent.uploads
    pixels = _ask(app, reader, sent.rebuild())
    assert pixels.shape == (96, 64, 3)
    assert np.array_equal(pixels, _decode(gate, upload.data))


@pytest.mark.parametrize("reader", list(_READERS))
@pytest.mark.parametrize("way", _WAYS)
def test_a_picture_that_was_encoded_anew_is_decoded_alike_by_all(
    app: BaseWSGIServer, gate: Gate, turned_jpeg: bytes, way: Any, reader: str
) -> None:
    sent = read(door_of("form", "/predict"), *way(turned_jpeg))
    upright = _decode(gate, sent.uploads[0].data)
    body = sent.rebuild([save(Pillow.fromarray(upright), "PNG")])
    assert np.array_equal(_ask(app, reader, body), upright)


@pytest.mark.parametrize("way", _WAYS)
def test_an_app_that_leaves_exif_alone_sees_the_picture_on_its_side(
    app: BaseWSGIServer, gate: Gate, turned_jpeg: bytes, way: Any
) -> None:
    sent = read(door_of("form", "/predict"), *way(turned_jpeg))
    pixels = _ask(app, "pillow", sent.rebuild())
    assert np.array_equal(np.rot90(pixels, -1), _decode(gate, sent.uploads[0].data))
