"""Pictures as whole bodies, and what headers may say of any body."""

from dataclasses import replace

import pytest

from inference.refusals import (
    NOT_MULTIPART,
    PACKED_BODY,
    TOO_MANY_BYTES,
    UNKNOWN_BODY,
    Refusal,
    Refused,
)
from inference.upstream.requests.read import count_body_bytes, read_request
from tests.inference.upstream.requests.bodies import HF, to_base64, to_json
from tests.inference.upstream.requests.conftest import LIMITS, door_of, read, refusal_of


def test_a_raw_body_is_declared_as_what_it_is(jpeg: bytes, png: bytes) -> None:
    for content_type in (None, "image/png", "application/x-www-form-urlencoded"):
        sent = read(HF, jpeg, content_type)
        assert sent.uploads[0].data == jpeg
        assert (sent.rebuild().content_type, sent.rebuild().data) == ("image/jpeg", jpeg)
        assert sent.rebuild([png]).content_type == "image/png"
    assert refusal_of(HF, b"1" * 100_001, "image/png") == TOO_MANY_BYTES


@pytest.mark.parametrize(
    ("content_type", "headers", "refusal"),
    [
        ("text/plain", {}, UNKNOWN_BODY),
        ("application/json+x", {}, UNKNOWN_BODY),
        ("multipart/form-data; boundary=b", {}, UNKNOWN_BODY),
        ("multipart/mixed; boundary=b", {}, UNKNOWN_BODY),
        ("image/png, application/json", {}, UNKNOWN_BODY),
        ('image/png; a="b\\"c"', {}, UNKNOWN_BODY),
        ("image/png; a=b; A=c", {}, UNKNOWN_BODY),
        ("image/png\xff", {}, UNKNOWN_BODY),
        ("image/png; x=" + "a" * 3_000, {}, UNKNOWN_BODY),
        ("image/png", {"inference_header_content_length": "2"}, UNKNOWN_BODY),
        ("image/png", {"content_encoding": "gzip"}, PACKED_BODY),
        ("image/png", {"content_encoding": "identity, gzip"}, PACKED_BODY),
    ],
)
def test_headers_that_say_something_else_are_refused(
    jpeg: bytes, content_type: str, headers: dict[str, str], refusal: Refusal
) -> None:
    assert refusal_of(HF, jpeg, content_type, **headers) == refusal


def test_headers_that_stand_twice_are_refused(jpeg: bytes) -> None:
    for headers, refusal in (
        ([(b"Content-Type", b"image/png"), (b"content-type", b"image/png")], UNKNOWN_BODY),
        ([(b"Content-Encoding", b"identity"), (b"content-encoding", b"br")], PACKED_BODY),
    ):
        with pytest.raises(Refused) as refused:
            read_request(HF, headers, jpeg, LIMITS)
        assert refused.value.refusal == refusal


def test_an_empty_content_encoding_is_none(jpeg: bytes) -> None:
    assert read(HF, jpeg, "image/jpeg", content_encoding="").uploads[0].data == jpeg


def test_another_charset_is_refused(jpeg: bytes) -> None:
    body = to_json(inputs=to_base64(jpeg))
    refusal = refusal_of(HF, body, "application/json; charset=utf-16")
    assert refusal.code == NOT_MULTIPART.code
    assert read(HF, body, 'application/json; charset="utf-8"').uploads[0].data == jpeg


def test_a_door_says_how_many_bytes_it_may_take() -> None:
    limits = replace(LIMITS, max_picture_bytes=1_000, max_text_bytes=10)
    upload = door_of("gradio", "/gradio_api/upload")
    form = [(b"content-type", b"multipart/form-data; boundary=b")]
    assert count_body_bytes(HF, [(b"content-type", b"image/png")], limits) == 1_010
    assert count_body_bytes(HF, [(b"content-type", b"application/json")], limits) == 12_010
    assert count_body_bytes(upload, form, limits) == 8_010
    with pytest.raises(Refused):
        count_body_bytes(upload, [(b"content-type", b"application/json")], limits)
