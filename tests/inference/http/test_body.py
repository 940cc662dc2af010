"""Bodies of every kind: which they are is said by their media type, and by nothing in them."""

import json
from base64 import b64encode, encodebytes, urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.http.body import BodyRules, SentPicture, choose_reader
from inference.http.form import SentForm
from inference.http.json_body import SentJson
from inference.refusals import (
    ADDRESS_INSTEAD,
    MUCH_JSON,
    NO_BASE64,
    NO_BOUNDARY,
    NO_JSON_FIELD,
    NOT_JSON,
    NOT_MULTIPART,
    TOO_MANY_BYTES,
    UNKNOWN_BODY,
    Refusal,
    Refused,
)
from inference.service import Service
from inference.upload import Upload
from tests.inference.http.conftest import Encode, stored_row

_FIELDS = ("file", "image")
_RULES = BodyRules(_FIELDS, 1_000, 1.0)
_DATA = bytes(range(256)) + b"\xfb\xef\xff"


def _read(body: bytes | str) -> Upload:
    return SentJson(
        [body.encode() if isinstance(body, str) else body], _FIELDS, 1_000
    ).read_upload()


def _refusal(body: bytes | str) -> Refusal:
    with pytest.raises(Refused) as refused:
        _read(body)
    return refused.value.refusal


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=b", b"b"),
        ('Multipart/Form-Data;charset=utf-8; Boundary="a b"', b"a b"),
        ("multipart/form-data; boundary=b; boundary=c", b"b"),
    ],
)
def test_only_the_boundary_is_taken_from_the_media_type_of_a_form(
    content_type: str, boundary: bytes
) -> None:
    build, _ = choose_reader(content_type, _RULES)
    assert build([b"x"]) == SentForm(boundary, [b"x"], _FIELDS)


@pytest.mark.parametrize("content_type", ["image/jpeg", "IMAGE/HEIC; x=y", "image/png; boundary=b"])
def test_a_picture_may_be_the_body(content_type: str) -> None:
    build, _ = choose_reader(content_type, _RULES)
    body = build([b"x", b"y"])
    assert isinstance(body, SentPicture)
    assert body.read_upload().data == b"xy"
    assert body.chunks == []


@pytest.mark.parametrize(
    ("content_type", "refusal"),
    [
        ("multipart/form-data", NO_BOUNDARY),
        ("multipart/form-data; boundary=", NO_BOUNDARY),
        ("multipart/form-data; boundary=\u00e9", NOT_MULTIPART),
        ("multipart/form-data; boundary=" + "b" * 71, NOT_MULTIPART),
        ("multipart/form-data; boundary=b;" + ";a=" * 5_000, NOT_MULTIPART),
        ("multipart/mixed; boundary=b", UNKNOWN_BODY),
        ("application/x-www-form-urlencoded", UNKNOWN_BODY),
        ("text/plain", UNKNOWN_BODY),
        ("", UNKNOWN_BODY),
    ],
)
def test_other_media_types_are_told_what_is_wrong(content_type: str, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        choose_reader(content_type, _RULES)
    assert refused.value.refusal == refusal


@pytest.mark.parametrize(
    "text",
    [
        b64encode(_DATA).decode(),
        b64encode(_DATA).decode().rstrip("="),
        urlsafe_b64encode(_DATA).decode(),
        encodebytes(_DATA).decode(),
        "data:image/png;base64," + b64encode(_DATA).decode(),
        "DATA:;charset=x;BASE64," + b64encode(_DATA).decode(),
    ],
)
def test_base64_is_read_as_clients_write_it(text: str) -> None:
    upload = _read(json.dumps({"image": text, "other": [1, {"image": 2}]}))
    assert upload.data == _DATA
    assert upload.declared_type == ("image/png" if "image/png" in text else None)
    assert "sha256" in vars(upload)


@given(st.binary(max_size=200))
@example(b"\xff\xff\xff")
def test_any_picture_comes_out_as_it_went_in(data: bytes) -> None:
    assert _read(json.dumps({"file": b64encode(data).decode()})).data == data


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("", NOT_JSON),
        ("[]", NOT_JSON),
        ('{"image": "AA==", "image": "AAA="}', NOT_JSON),
        ('{"image": "AA==", "x": {"y": 1, "y": 2}}', NOT_JSON),
        ('{"image": "AA==", "x": NaN}', NOT_JSON),
        ('{"image": "AA==", "x": ' + "[" * 5_000, NOT_JSON),
        ('{"image": "AA==", "x": ' + "[" * 5_001, MUCH_JSON),
        (json.dumps({"image": "AA==", "x": [1] * 20_001}), MUCH_JSON),
        (json.dumps({"image": "AA=="} | {str(n): "" for n in range(20_001)}), MUCH_JSON),
        ('{"image": "AA==", "x": ' + "9" * 10_000 + "}", NOT_JSON),
        ('{"image": "AA=="}'.encode("utf-16"), NOT_JSON),
        ("{}", NO_JSON_FIELD),
        ('{"picture": "AA=="}', NO_JSON_FIELD),
        ('{"image": "AA==", "file": "AA=="}', NO_JSON_FIELD),
        ('{"image": ["AA=="]}', NO_JSON_FIELD),
        ('{"image": "AA=A"}', NO_BASE64),
        ('{"image": "A"}', NO_BASE64),
        ('{"image": "AA%3D"}', NO_BASE64),
        ('{"image": "\\u00e9AA="}', NO_BASE64),
        ('{"image": "data:image/png,AAAA"}', NO_BASE64),
        ('{"image": "https://example.org/a.png"}', ADDRESS_INSTEAD),
        ('{"image": "file:///etc/passwd"}', ADDRESS_INSTEAD),
        (json.dumps({"image": "A" * 1_400}), TOO_MANY_BYTES),
    ],
)
def test_other_json_is_told_what_is_wrong(body: bytes | str, refusal: Refusal) -> None:
    assert _refusal(body) == refusal


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_body_makes_an_upload_or_a_refusal(body: bytes | str) -> None:
    with suppress(Refused):
        assert isinstance(_read(body), Upload)


def test_one_picture_is_the_same_upload_however_it_is_sent(
    client: TestClient, service: Service, figure: Image, encode: Encode
) -> None:
    data = encode(figure)
    answers = [
        client.post("/v1/parse", files={"upload": ("a.png", data, "image/png")}),
        client.post("/v1/parse", content=data, headers={"Content-Type": "image/png"}),
        client.post("/v1/parse", json={"image": b64encode(data).decode()}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    rows = [stored_row(service, answer.json()["request_id"]) for answer in answers]
    assert len({row.content_sha256 for row in rows}) == 1


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Type": "image/png", "Content-Encoding": "gzip"}, b"\x1f\x8b", "packed_body"),
        (
            [("Content-Encoding", ""), ("Content-Encoding", "gzip"), ("Content-Type", "image/png")],
            b"\x1f\x8b",
            "packed_body",
        ),
        ({"Content-Type": "image/png"}, b"", "empty_upload"),
        ({"Content-Type": "image/png"}, b"no picture", "unsupported_type"),
        ({"Content-Type": "application/json"}, b"{", "not_json"),
        ({"Content-Type": "text/plain"}, b"", "not_multipart"),
    ],
)
def test_what_cannot_be_read_is_a_recorded_refusal(
    client: TestClient,
    service: Service,
    headers: dict[str, str] | list[tuple[str, str]],
    body: bytes,
    code: str,
) -> None:
    answer = client.post("/v1/parse", content=body, headers=headers)
    assert answer.json()["type"] == f"urn:maskwatch:problem:{code}"
    assert stored_row(service, answer.json()["request_id"]).reasons == [code]
