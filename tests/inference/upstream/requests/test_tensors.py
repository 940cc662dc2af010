"""KServe's protocols: files in base64 and in bytes, and pictures as pixels."""

import json
from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.refusals import (
    ADDRESS_INSTEAD,
    FORM_TOO_LARGE,
    NO_PICTURE,
    NOT_JSON,
    PICTURE_ELSEWHERE,
    TOO_MANY_BYTES,
    TOO_MANY_PICTURES,
    UNREADABLE_TENSOR,
    Refusal,
)
from inference.upstream.presets.preset import Door, PicturePlace
from inference.upstream.requests.sent_request import GatedBody, SentRequest
from tests.inference.upstream.requests.conftest import door_of, read, refusal_of

_V1 = door_of("kserve", "/v1/models/m2fp:predict")
_V2 = door_of("kserve", "/v2/models/m2fp/versions/1/infer")
_JSON = "application/json"
_LENGTH = "inference-header-content-length"
_PIXELS = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3) * 4


def _named(*names: str) -> Door:
    place = PicturePlace(body="tensors", names=names, coding="base64", max_pictures=4)
    return Door(name="own", kind="picture", paths=("/",), places=(place,))


def _text(picture: bytes) -> str:
    return b64encode(picture).decode()


def _dump(**members: Any) -> bytes:
    return json.dumps(members).encode()


def _tensor(name: str = "image", datatype: str = "BYTES", **members: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [1], **members}


def _rgb(data: Any) -> dict[str, Any]:
    return _tensor(datatype="UINT8", shape=[3, 1, 1], data=data)


def _binary(tensor: dict[str, Any], size: int) -> dict[str, Any]:
    return {**tensor, "parameters": {"binary_data_size": size}}


def _element(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


def _split(inputs: list[dict[str, Any]], *chunks: bytes) -> tuple[bytes, str]:
    head = _dump(id="7", inputs=inputs)
    return b"".join([head, *chunks]), str(len(head))


def _read_split(door: Door, inputs: list[dict[str, Any]], *chunks: bytes) -> SentRequest:
    body, length = _split(inputs, *chunks)
    return read(door, body, "application/octet-stream", inference_header_content_length=length)


def _open(body: GatedBody) -> tuple[Any, bytes]:
    assert body.content_type == "application/octet-stream"
    length = int(body.headers[_LENGTH])
    return json.loads(body.data[:length]), body.data[length:]


def _decode(file: bytes) -> Any:
    return np.asarray(Pillow.open(BytesIO(file)))


def _encode(pixels: Any) -> bytes:
    buffer = BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: {"b64": text},
        lambda text: {"image": text},
        lambda text: {"image_bytes": {"b64": text}, "key": "1"},
    ],
)
def test_instances_of_v1_in_base64(wrap: Any, jpeg: bytes, png: bytes) -> None:
    door = _named("image", "image_bytes")
    sent = read(door, _dump(instances=[wrap(_text(jpeg)), wrap(_text(png))]), _JSON)
    assert [upload.data for upload in sent.uploads] == [jpeg, png]
    rebuilt = json.loads(sent.rebuild([png, jpeg]).data)
    assert rebuilt == {"instances": [wrap(_text(png)), wrap(_text(jpeg))]}


@pytest.mark.parametrize("wrap", [lambda pixels: pixels, lambda pixels: {"image": pixels}])
def test_instances_of_v1_as_pixels(wrap: Any) -> None:
    sent = read(_V1, _dump(instances=[wrap(_PIXELS.tolist())]), _JSON)
    assert np.array_equal(_decode(sent.uploads[0].data), _PIXELS)
    assert json.loads(sent.rebuild().data) == {"instances": [wrap(_PIXELS.tolist())]}
    others = _PIXELS[::-1, :3]
    rebuilt = json.loads(sent.rebuild([_encode(np.ascontiguousarray(others))]).data)
    assert rebuilt == {"instances": [wrap(others.tolist())]}


def test_elements_of_v2_in_json(jpeg: bytes, png: bytes) -> None:
    inputs = [_tensor(shape=[2, 1], data=[_text(jpeg), _text(jpeg)])]
    sent = read(_V2, _dump(inputs=inputs, outputs=[{"name": "masks"}]), _JSON)
    assert len(sent.uploads) == 2
    rebuilt = sent.rebuild([jpeg, png])
    assert (rebuilt.content_type, dict(rebuilt.headers)) == (_JSON, {})
    assert json.loads(rebuilt.data) == {
        "inputs": [_tensor(shape=[2, 1], data=[_text(jpeg), _text(png)])],
        "outputs": [{"name": "masks"}],
    }


@pytest.mark.parametrize("is_flat", [True, False])
@pytest.mark.parametrize("channels", ["last", "first"])
@pytest.mark.parametrize("batch", [None, 1, 2])
def test_pixels_of_v2_in_json(is_flat: bool, channels: str, batch: int | None) -> None:
    tensor = _PIXELS if channels == "last" else _PIXELS.transpose(2, 0, 1)
    tensor = tensor if batch is None else np.stack([tensor] * batch)
    data = tensor.ravel().tolist() if is_flat else tensor.tolist()
    inputs = [_tensor(datatype="UINT8", shape=list(tensor.shape), data=data)]
    sent = read(_V2, _dump(inputs=inputs), _JSON)
    assert [_decode(u.data).tolist() for u in sent.uploads] == [_PIXELS.tolist()] * (batch or 1)
    (rebuilt,) = json.loads(sent.rebuild().data)["inputs"]
    assert rebuilt == {**inputs[0], "data": tensor.ravel().tolist()}


def test_files_behind_the_document(jpeg: bytes, png: bytes) -> None:
    chunk, other = _element(jpeg), b"\x00\x00\x80\x3f"
    inputs = [
        _binary(_tensor("threshold", "FP32"), len(other)),
        _binary(_tensor(), len(chunk)),
        _tensor("mode", data=["fast"]),
    ]
    sent = _read_split(_named("image"), inputs, other, chunk)
    assert [upload.data for upload in sent.uploads] == [jpeg]
    head, tail = _open(sent.rebuild([png]))
    assert tail == other + _element(png)
    assert head["inputs"] == [inputs[0], _binary(_tensor(), len(_element(png))), inputs[2]]
    assert _open(sent.rebuild())[1] == other + chunk


def test_pixels_behind_the_document() -> None:
    tensor = _tensor(datatype="UINT8") | {"shape": [1, 4, 5, 3]}
    sent = _read_split(_V2, [_binary(tensor, 60)], _PIXELS.tobytes())
    assert np.array_equal(_decode(sent.uploads[0].data), _PIXELS)
    assert _open(sent.rebuild()) == (
        {"id": "7", "inputs": [_binary(tensor, 60)]},
        _PIXELS.tobytes(),
    )
    smaller = np.ascontiguousarray(_PIXELS[:2])
    head, tail = _open(sent.rebuild([_encode(smaller)]))
    assert head["inputs"] == [_binary({**tensor, "shape": [1, 2, 5, 3]}, 30)]
    assert tail == smaller.tobytes()


@pytest.mark.parametrize(
    ("inputs", "chunks", "refusal"),
    [
        ([_binary(_tensor(), 9)], [_element(b"1234")], UNREADABLE_TENSOR),
        ([_binary(_tensor(), 7)], [_element(b"1234")], UNREADABLE_TENSOR),
        ([_binary(_tensor(), 8)], [_element(b"1234"), b"x"], UNREADABLE_TENSOR),
        ([_binary(_tensor(), -1)], [], UNREADABLE_TENSOR),
        ([_binary(_tensor(), True)], [b"1"], UNREADABLE_TENSOR),
        ([_binary(_tensor(data=["AAAA"]), 8)], [_element(b"1234")], UNREADABLE_TENSOR),
        ([_binary(_tensor(shape=[2]), 8)], [_element(b"1234")], UNREADABLE_TENSOR),
        ([_binary(_tensor(), 8)], [b"\xff\xff\xff\xff1234"], UNREADABLE_TENSOR),
        ([_binary(_tensor(), 2)], [b"\x01\x00"], UNREADABLE_TENSOR),
        ([_binary(_tensor("a", "FP32"), 4)], [b"1234"], UNREADABLE_TENSOR),
        ([_binary(_tensor("a", "UINT8", shape=[2, 2]), 4)], [b"1234"], UNREADABLE_TENSOR),
        ([_binary(_tensor("a", "UINT8", shape=[1, 1, 3, 1]), 4)], [b"1234"], UNREADABLE_TENSOR),
        ([_binary(_tensor("a", "UINT8", shape=[0, 3]), 0)], [], UNREADABLE_TENSOR),
        ([_tensor(parameters=3)], [], UNREADABLE_TENSOR),
        ([_binary(_tensor(shape=[9]), 36)], [bytes(36)], TOO_MANY_PICTURES),
        ([_binary(_tensor("a", "UINT8", shape=[9, 1, 1, 3]), 27)], [bytes(27)], TOO_MANY_PICTURES),
        ([], [], NO_PICTURE),
    ],
)
def test_bytes_that_do_not_fit_are_refused(
    inputs: list[dict[str, Any]], chunks: list[bytes], refusal: Refusal
) -> None:
    body, length = _split(inputs, *chunks)
    assert refusal_of(_V2, body, None, inference_header_content_length=length) == refusal


@pytest.mark.parametrize("length", ["x", "-1", "1 ", "99999", "", "9" * 5_000])
def test_a_length_of_the_document_that_is_none_is_refused(length: str) -> None:
    body = _dump(inputs=[_tensor(data=["AAAA"])])
    refusal = refusal_of(_V2, body, None, inference_header_content_length=length)
    assert refusal == UNREADABLE_TENSOR


@pytest.mark.parametrize(
    ("document", "refusal"),
    [
        ({"inputs": [_tensor(data=["AAAA"])], "instances": ["AAAA"]}, NOT_JSON),
        ({}, NOT_JSON),
        ({"inputs": {}}, UNREADABLE_TENSOR),
        ({"inputs": [1]}, UNREADABLE_TENSOR),
        ({"inputs": [{"name": str(n), "data": []} for n in range(65)]}, UNREADABLE_TENSOR),
        ({"instances": [[[["a" * 500, 1, 2]]]]}, UNREADABLE_TENSOR),
        ({"instances": [[[[1, 2, 3]]]] * 9}, TOO_MANY_PICTURES),
        ({"instances": ["AAAA"] * 9}, TOO_MANY_PICTURES),
        ({"inputs": [{"datatype": "BYTES", "data": []}]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(data=["AAAA"])] * 2}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(data=[1])]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(data="AAAA")]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(data=[["AAAA"]])]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(data=["AAAA", "AAAA"])]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(shape="1", data=["AAAA"])]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(shape=[True], data=["AAAA"])]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(datatype="FP32", data=[1.0])]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(datatype="UINT8", shape=[1, 1, 3], data=[0, 1])]}, UNREADABLE_TENSOR),
        (
            {"inputs": [_tensor(datatype="UINT8", shape=[3, 1, 1], data=[0, 256, 1])]},
            UNREADABLE_TENSOR,
        ),
        (
            {"inputs": [_tensor(datatype="UINT8", shape=[3, 1, 1], data=[0, "1", 1])]},
            UNREADABLE_TENSOR,
        ),
        (
            {"inputs": [_tensor(datatype="UINT8", shape=[3, 1, 1], data=[0, [1], 1])]},
            UNREADABLE_TENSOR,
        ),
        ({"inputs": [_tensor(datatype="UINT8", shape=[1 << 24] * 4, data=[0])]}, UNREADABLE_TENSOR),
        ({"inputs": [_tensor(shape=[9], data=["AAAA"] * 9)]}, TOO_MANY_PICTURES),
        ({"inputs": [_tensor(data=["http://a.example"])]}, ADDRESS_INSTEAD),
        ({"instances": ["https://a.example/b.png"]}, ADDRESS_INSTEAD),
        ({"instances": [{"b64": "/etc/passwd"}]}, ADDRESS_INSTEAD),
        ({"instances": "AAAA"}, NOT_JSON),
        ({"instances": []}, NO_PICTURE),
        ({"instances": [1]}, NO_PICTURE),
        ({"instances": [[1, 2]]}, UNREADABLE_TENSOR),
        ({"instances": [[[[0.5, 0.5, 0.5]]]]}, UNREADABLE_TENSOR),
        ({"instances": [[[[True, False, True]]]]}, UNREADABLE_TENSOR),
    ],
)
def test_other_documents_are_refused(document: dict[str, Any], refusal: Refusal) -> None:
    assert refusal_of(_V1, _dump(**document), _JSON) == refusal


def test_a_large_picture_is_refused_in_every_protocol() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    inputs = [_tensor(datatype="UINT8", shape=[200, 200, 3], data=noise.ravel().tolist())]
    body, length = _split([_binary(_tensor(), 100_005)], _element(b"1" * 100_001))
    assert refusal_of(_V1, _dump(instances=[noise.tolist()]), _JSON) == TOO_MANY_BYTES
    assert refusal_of(_V2, _dump(inputs=inputs), _JSON) == TOO_MANY_BYTES
    refusal = refusal_of(_V2, body, None, inference_header_content_length=length)
    assert refusal == TOO_MANY_BYTES


def test_pictures_in_other_tensors_are_refused(jpeg: bytes) -> None:
    door, good = _named("image"), _tensor(data=[_text(jpeg)])
    text = _tensor("other", data=[_text(jpeg)])
    assert refusal_of(door, _dump(inputs=[good, text]), _JSON) == PICTURE_ELSEWHERE
    numbers = _tensor("other", "UINT8", shape=[2_000], data=[1] * 2_000)
    assert refusal_of(door, _dump(inputs=[good, numbers]), _JSON) == FORM_TOO_LARGE
    chunk = _element(jpeg)
    body, length = _split([good, _binary(_tensor("other"), len(chunk))], chunk)
    refusal = refusal_of(door, body, None, inference_header_content_length=length)
    assert refusal == PICTURE_ELSEWHERE
    body, length = _split([good, _binary(_tensor("other", "UINT8"), 3_000)], b"1" * 3_000)
    refusal = refusal_of(door, body, None, inference_header_content_length=length)
    assert refusal == FORM_TOO_LARGE
    instance = {"image": _text(jpeg), "other": _PIXELS.tolist() * 50}
    assert refusal_of(door, _dump(instances=[instance]), _JSON) == FORM_TOO_LARGE


@pytest.mark.parametrize(
    "filling",
    [b"[]," * 400_001, b"1," * 1_500_001, b"{}," * 100_001],
    ids=["lists", "numbers", "{}"],
)
def test_json_that_would_hold_up_all_threads_is_not_read(filling: bytes) -> None:
    assert refusal_of(_V1, b'{"instances":[' + filling + b"1]}", _JSON) is UNREADABLE_TENSOR


def _is_in_order(door: Door, **members: Any) -> bool:
    return read(door, _dump(**members), _JSON).is_in_order


def test_pictures_of_instances_come_in_the_order_of_the_instances(jpeg: bytes) -> None:
    pixels = _PIXELS.tolist()
    sent = read(_V1, _dump(instances=[pixels, {"b64": _text(jpeg)}]), _JSON)
    assert sent.uploads[1].data == jpeg
    assert sent.is_in_order
    assert json.loads(sent.rebuild().data)["instances"][0] == pixels


def test_pictures_that_are_no_items_of_their_own_are_not_told_apart(jpeg: bytes) -> None:
    pictures = {"a": _text(jpeg), "b": _text(jpeg)}
    assert not _is_in_order(_V1, instances=[pictures, {"note": 1}])
    assert _is_in_order(_V1, instances=[{"a": _text(jpeg)}, {"a": _text(jpeg)}])
    inputs = [_tensor("a", data=[_text(jpeg)]), _tensor("b", data=[_text(jpeg)])]
    assert not _is_in_order(_V2, inputs=inputs)
    assert _is_in_order(_V2, inputs=[{**_tensor(data=[_text(jpeg)] * 2), "shape": [2]}])
