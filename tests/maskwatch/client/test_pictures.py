"""Pictures in bodies, as clients send them."""

import json
from base64 import b64encode, urlsafe_b64encode

import pytest
from httpx2 import Request
from hypothesis import given
from hypothesis import strategies as st

from maskwatch.client.pictures import find_pictures

FIELDS = ("file", "image")


def _find(request: Request) -> list[bytes]:
    return find_pictures(request.headers["content-type"], request.read(), FIELDS)


@given(st.binary(min_size=1), st.binary(min_size=1))
def test_a_form_gives_back_the_bytes_that_were_put_in(one: bytes, two: bytes) -> None:
    files = [("image", ("ä.jpg", one)), ("file", ("b", two)), ("other", ("c", b"no"))]
    request = Request("POST", "http://a", files=files, data={"note": "text"})
    assert _find(request) == [one, two]


@given(st.binary(min_size=1))
def test_base64_of_either_alphabet_is_found_in_json(data: bytes) -> None:
    for text in (
        b64encode(data).decode(),
        urlsafe_b64encode(data).decode().rstrip("="),
        "data:image/png;base64," + b64encode(data).decode(),
    ):
        body = json.dumps({"image": text, "more": 1}).encode()
        assert find_pictures("application/json; charset=utf-8", body, FIELDS) == [data]


def test_a_body_may_be_the_picture() -> None:
    assert find_pictures("image/jpeg", b"abc", FIELDS) == [b"abc"]


def test_at_most_sixteen_pictures_are_found() -> None:
    files = [("image", ("a", b"x"))] * 40
    assert len(_find(Request("POST", "http://a", files=files))) == 16


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b"abc"),
        ("text/plain", b"abc"),
        ("multipart/form-data", b"--b\r\n\r\nabc\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=file"),
        ("multipart/form-data; boundary=b", b""),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"image": "%%%"}'),
        ("application/json", b'{"image": ["abc"]}'),
        ("application/json", b'"image"'),
        ("application/json", b"\xff\xfe"),
    ],
)
def test_nothing_is_found_where_nothing_can_be_read(content_type: str, body: bytes) -> None:
    assert find_pictures(content_type, body, FIELDS) == []


@given(st.text(), st.binary())
def test_no_body_makes_it_raise(content_type: str, body: bytes) -> None:
    find_pictures(content_type, body, FIELDS)
    find_pictures("multipart/form-data; boundary=b", b"--b" + body, FIELDS)
    find_pictures("application/json", body, FIELDS)
