"""Services that speak as ModelScope, KServe, Hugging Face and pages in FastAPI do, in our words.

All parse in one way, so that what they ought to answer is known: a face in a picture's first
quarter, hair where it is dark.
"""

import json
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx2
import numpy as np
from fastapi import FastAPI, Request, Response
from PIL import Image as Pillow
from PIL import ImageOps

from inference.upstream.answers.formats import PalettePng
from inference.upstream.presets.preset_files import load_preset
from tests.waiting import PATIENCE_SECONDS

TIMEOUT_SECONDS = PATIENCE_SECONDS
HEAD_LENGTH = "Inference-Header-Content-Length"
# In the presets' own labels; that of Hugging Face has others.
HAIR, FACE = 2, 13
FACE_OF_HF = 11
Decoded = list[Any]


@dataclass(frozen=True)
class Contract:
    """One way to send a picture to one kind of service.

    Attributes:
        build: makes the service, which notes the pictures ``(H, W, 3)`` uint8 that it decodes.
        send: sends a file to the service at a URL.
        face: number of the label.
        turns: whether it turns pictures as EXIF says.
    """

    preset: str
    build: Callable[[Decoded], FastAPI]
    send: Callable[[str, bytes], httpx2.Response]
    face: int = FACE
    turns: bool = False


def draw_labels(pixels: Any, face: int = FACE) -> Any:
    """The label map of a picture."""
    labels = np.where(pixels.mean(axis=2) < 128, HAIR, 0).astype(np.uint8)
    labels[: labels.shape[0] // 2, : labels.shape[1] // 2] = face
    return labels


def build_modelscope(decoded: Decoded, copies: int = 1) -> FastAPI:
    """``POST /call``: a picture in base64 with ``-_``, each mask as nested lists of numbers.

    A person has a mask besides the parts, as M2FP answers.
    """
    app = FastAPI()

    @app.post("/call")
    async def call(request: Request) -> Response:
        (text,) = (await request.json())["input"].values()
        labels = draw_labels(_decode(urlsafe_b64decode(text), decoded))
        regions = (labels == HAIR, labels == FACE, labels > 0)
        masks = [region.astype(int).tolist() for region in regions]
        names, scores = ["Hair", "Face", "Human"], [0.9, 0.8, 0.95]
        answer = {"masks": masks * copies, "labels": names * copies, "scores": scores * copies}
        return Response(json.dumps(answer), media_type="application/json")

    return app


def build_kserve(decoded: Decoded) -> FastAPI:
    """Version 1 with ``instances``; version 2 in JSON, and with tensors behind it."""
    app = FastAPI()

    @app.post("/v1/models/{name}:predict")
    async def predict(name: str, request: Request) -> Mapping[str, Any]:
        instances = (await request.json())["instances"]
        files = [b64decode(each["image"]["b64"]) for each in instances]
        return {"predictions": [draw_labels(_decode(each, decoded)).tolist() for each in files]}

    @app.post("/v2/models/{name}/infer")
    async def infer(name: str, request: Request) -> Response:
        body, length = await request.body(), request.headers.get(HEAD_LENGTH)
        (tensor,) = json.loads(body[: int(length)] if length else body)["inputs"]
        chunk = body[int(length) :] if length else b64decode(tensor["data"][0])
        labels = draw_labels(_read_tensor(tensor, chunk, bool(length), decoded))
        return _answer_tensor(name, labels, is_binary=bool(length))

    return app


def _read_tensor(tensor: Any, chunk: bytes, is_binary: bool, decoded: Decoded) -> Any:
    if tensor["datatype"] == "UINT8":
        decoded.append(np.frombuffer(chunk, np.uint8).reshape(tensor["shape"])[0])
        return decoded[-1]
    # Elements behind the JSON begin with their length.
    return _decode(chunk[4:] if is_binary else chunk, decoded)


def _answer_tensor(name: str, labels: Any, *, is_binary: bool) -> Response:
    shape = [1, *labels.shape]
    output: dict[str, Any] = {"name": "labels", "datatype": "UINT8", "shape": shape}
    if not is_binary:
        output["data"] = labels.ravel().tolist()
        text = json.dumps({"model_name": name, "outputs": [output]})
        return Response(text, media_type="application/json")
    output["parameters"] = {"binary_data_size": labels.size}
    head = json.dumps({"model_name": name, "outputs": [output]}).encode()
    headers = {HEAD_LENGTH: str(len(head))}
    return Response(head + labels.tobytes(), 200, headers, "application/octet-stream")


def build_hf(decoded: Decoded) -> FastAPI:
    """Raw bytes or ``inputs`` in base64, also a list of them; a scored mask for each part."""
    app = FastAPI()

    @app.post("/")
    async def infer(request: Request) -> list[Any]:
        body = await request.body()
        if request.headers["Content-Type"] != "application/json":
            return answer(body)
        inputs = json.loads(body)["inputs"]
        if isinstance(inputs, list):
            return [answer(b64decode(each)) for each in inputs]
        return answer(b64decode(inputs))

    def answer(data: bytes) -> list[dict[str, Any]]:
        labels = draw_labels(_decode(data, decoded, turns=True), FACE_OF_HF)
        masks = {"Hair": labels == HAIR, "Face": labels == FACE_OF_HF}
        return [
            {"label": label, "score": 0.9, "mask": _text(_save((mask * 255).astype(np.uint8)))}
            for label, mask in masks.items()
        ]

    return app


def build_page(decoded: Decoded) -> FastAPI:
    """A form with a file, or JSON with base64; a PNG with a colour for each part."""
    app = FastAPI()
    form = load_preset("form").doors[0].answer
    assert isinstance(form, PalettePng)
    palette = np.array(form.palette, np.uint8)

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        async with request.form() as fields:
            file = fields["file"]
            assert not isinstance(file, str)
            return answer(await file.read())

    @app.post("/api/predict")
    async def predict_json(request: Request) -> Response:
        return answer(b64decode((await request.json())["image"]))

    def answer(data: bytes) -> Response:
        labels = draw_labels(_decode(data, decoded))
        return Response(_save(palette[labels]), media_type="image/png")

    return app


def _decode(data: bytes, decoded: Decoded, *, turns: bool = False) -> Any:
    picture = Pillow.open(BytesIO(data))
    upright = ImageOps.exif_transpose(picture) if turns else picture
    decoded.append(np.asarray(upright.convert("RGB")))
    return decoded[-1]


def _save(pixels: Any) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _post(url: str, **more: Any) -> httpx2.Response:
    return httpx2.post(url, timeout=TIMEOUT_SECONDS, **more)


def call_modelscope(url: str, file: bytes) -> httpx2.Response:
    """A picture in ModelScope's alphabet."""
    return _post(f"{url}/call", json={"input": {"image": urlsafe_b64encode(file).decode()}})


def _predict_v1(url: str, file: bytes) -> httpx2.Response:
    body = {"instances": [{"image": {"b64": _text(file)}}]}
    return _post(f"{url}/v1/models/parser:predict", json=body)


def predict_several(url: str, files: Sequence[bytes]) -> httpx2.Response:
    """Several instances of version 1."""
    body = {"instances": [{"image": {"b64": _text(file)}} for file in files]}
    return _post(f"{url}/v1/models/parser:predict", json=body)


def send_list(url: str, files: Sequence[bytes]) -> httpx2.Response:
    """Several inputs of Hugging Face."""
    return _post(f"{url}/", json={"inputs": [_text(file) for file in files]})


def infer_v2(url: str, file: bytes) -> httpx2.Response:
    """A picture in an input of version 2."""
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [_text(file)]}
    return _post(f"{url}/v2/models/parser/infer", json={"inputs": [tensor]})


def _infer_v2_binary(url: str, file: bytes) -> httpx2.Response:
    return _send_tensor(url, "BYTES", [1], len(file).to_bytes(4, "little") + file)


def infer_v2_pixels(url: str, pixels: Any) -> httpx2.Response:
    """Pixels ``(H, W, 3)`` uint8 behind the JSON."""
    return _send_tensor(url, "UINT8", [1, *pixels.shape], pixels.tobytes())


def _send_tensor(url: str, datatype: str, shape: list[int], chunk: bytes) -> httpx2.Response:
    tensor: dict[str, Any] = {"name": "image", "datatype": datatype, "shape": shape}
    tensor["parameters"] = {"binary_data_size": len(chunk)}
    outputs = [{"name": "labels", "parameters": {"binary_data": True}}]
    head = json.dumps({"inputs": [tensor], "outputs": outputs}).encode()
    headers = {HEAD_LENGTH: str(len(head)), "Content-Type": "application/octet-stream"}
    return _post(f"{url}/v2/models/parser/infer", content=head + chunk, headers=headers)


def _send_raw(url: str, file: bytes) -> httpx2.Response:
    return _post(f"{url}/", content=file, headers={"Content-Type": "image/png"})


def _send_inputs(url: str, file: bytes) -> httpx2.Response:
    return _post(f"{url}/", json={"inputs": _text(file)})


def _send_form(url: str, file: bytes) -> httpx2.Response:
    return _post(f"{url}/predict", files={"file": ("a.png", file, "image/png")})


def _send_json(url: str, file: bytes) -> httpx2.Response:
    return _post(f"{url}/api/predict", json={"image": _text(file)})


CONTRACTS: Mapping[str, Contract] = {
    "modelscope": Contract("modelscope", build_modelscope, call_modelscope),
    "kserve-v1": Contract("kserve", build_kserve, _predict_v1),
    "kserve-v2": Contract("kserve", build_kserve, infer_v2),
    "kserve-v2-binary": Contract("kserve", build_kserve, _infer_v2_binary),
    "hf-raw": Contract("hf", build_hf, _send_raw, FACE_OF_HF, turns=True),
    "hf-inputs": Contract("hf", build_hf, _send_inputs, FACE_OF_HF, turns=True),
    "fastapi-form": Contract("form", build_page, _send_form),
    "fastapi-json": Contract("form", build_page, _send_json),
}
