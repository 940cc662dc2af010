"""Forms that parsers read differently are refused; the rest goes on as what was read."""

import asyncio
from contextlib import suppress
from io import BytesIO

import multipart
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message
from werkzeug.datastructures import FileStorage
from werkzeug.formparser import MultiPartParser

from inference.refusals import (
    FORM_CUT_OFF,
    FORM_TOO_LARGE,
    NO_BOUNDARY,
    NOT_MULTIPART,
    Refusal,
    Refused,
)
from inference.upstream.requests.form_parts import FormPart, read_parts, write_parts
from inference.upstream.requests.headers import read_value

_FILE = b'Content-Disposition: form-data; name="image"; filename="a.png"'
_TEXT = b'Content-Disposition: form-data; name="note"'
_END = b"--b--\r\n"
Field = tuple[str, str | None, bytes]


def _part(data: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"--b", *headers, b"", data, b""])


def _fields(parts: tuple[FormPart, ...]) -> list[Field]:
    return [(part.name, part.file_name, part.data) for part in parts]


def _read(body: bytes, boundary: str = "b") -> list[Field]:
    return _fields(read_parts(boundary, body, 10))


def _read_by_multipart(body: bytes, boundary: str) -> list[Field]:
    parser = multipart.MultipartParser(BytesIO(body), boundary, strict=True)
    return [(part.name, _name_of(part.filename), part.raw) for part in parser]


def _name_of(file_name: str | None) -> str | None:
    """Without folders, which the package leaves in and nobody else needs."""
    return None if file_name is None else file_name.rpartition("/")[2]


def _read_by_starlette(body: bytes, content_type: str) -> list[Field]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def read() -> list[Field]:
        headers = [(b"content-type", content_type.encode())]
        async with Request({"type": "http", "headers": headers}, receive).form() as form:
            return [await _read_upload(name, value) for name, value in form.multi_items()]

    return asyncio.run(read())


async def _read_upload(name: str, value: UploadFile | str) -> Field:
    if isinstance(value, str):
        return name, None, value.encode()
    return name, value.filename, await value.read()


def _read_by_werkzeug(body: bytes, boundary: str) -> list[Field]:
    fields, files = MultiPartParser().parse(BytesIO(body), boundary.encode(), len(body))
    texts: list[Field] = [(n, None, text.encode()) for n, text in fields.items(multi=True)]
    return texts + [_read_storage(name, file) for name, file in files.items(multi=True)]


def _read_storage(name: str, file: FileStorage) -> Field:
    with file.stream as stream:
        return name, file.filename, stream.read()


def test_parts_come_in_their_order_with_what_was_said_of_them() -> None:
    body = (
        _part(b"hi", _TEXT, b"Content-Type: text/plain; charset=UTF-8")
        + _part(b"\x89PNG\r\n", _FILE, b"Content-Type: image/png", b"Content-Length: 6")
        + _END
    )
    assert read_parts("b", body, 2) == (
        FormPart("note", None, "text/plain", b"hi"),
        FormPart("image", "a.png", "image/png", b"\x89PNG\r\n"),
    )


@pytest.mark.parametrize(
    ("names", "file_name"),
    [
        (b"filename=a.png", "a.png"),
        (b'filename="\xc3\xbc b.png"', "\u00fc b.png"),
        (b"filename=a.png; filename*=utf-8''a.png", "a.png"),
        (b"filename=\"=?utf-8?B?w7wucG5n?=\"; filename*=utf-8''%C3%BC.png", "\u00fc.png"),
        (b"filename*=UTF-8''%C3%BC.png", "\u00fc.png"),
        (b'filename="../../etc/a.png"', "a.png"),
        (b'filename=""', ""),
    ],
)
def test_file_names_of_clients_are_read(names: bytes, file_name: str) -> None:
    head = b"content-disposition: form-data; name=image; " + names
    assert _read(_part(b"1", head) + _END) == [("image", file_name, b"1")]


_DISPOSITION = b"Content-Disposition: "


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (b"Content-Type: image/png",),
        (_FILE, _FILE),
        (_FILE, b"Content-Type: image/png", b"content-type: image/gif"),
        (_FILE + b";\r\n name=other",),
        (_FILE.replace(b": ", b" : "),),
        (_FILE.replace(b"; ", b";\n"),),
        (_FILE + b"\n",),
        (_FILE + b"\0",),
        (_FILE + b'; name="other"',),
        (_FILE + b'; NAME="other"',),
        (_FILE + b"; x=y",),
        (_FILE + b"; filename*=utf-8''b.png",),
        (_FILE + b"; filename*=utf-7''a.png",),
        (_FILE + b"; filename*=utf-8''%FF.png",),
        (_FILE + b"; filename*0=b.png",),
        (_FILE + b"; name*=utf-8''other",),
        (_DISPOSITION + b'form-data; name="a\\"; filename=\\"b"',),
        (_DISPOSITION + b'form-data; name="image"; filename="a\\.png"',),
        (_DISPOSITION + b'form-data; name="im"age"',),
        (_DISPOSITION + b"form-data; name='image'x y",),
        (_DISPOSITION + b'form-data; name="image',),
        (_DISPOSITION + b'form-data; name=""',),
        (_DISPOSITION + b"form-data; filename=a.png",),
        (_DISPOSITION + b"attachment; name=image",),
        (_DISPOSITION + b'form-data; name="\xff"',),
        (_FILE, b"Content-Type: multipart/mixed; boundary=c"),
        (_FILE, b"Content-Type: message/rfc822"),
        (_FILE, b"Content-Type: image/png; charset=utf-16"),
        (_TEXT, b"Content-Type: text/plain; charset=utf-7"),
        (_FILE, b"Content-Transfer-Encoding: base64"),
        (_FILE, b"Content-Transfer-Encoding: quoted-printable"),
        (_FILE, *[b"X-%d: 1" % number for number in range(8)]),
        (_FILE, b"X: " + b"a" * 4_096),
    ],
)
def test_headers_of_parts_leave_no_choice(headers: tuple[bytes, ...]) -> None:
    with pytest.raises(Refused) as refused:
        _read(_part(b"1", *headers) + _END)
    assert refused.value.refusal.code == NOT_MULTIPART.code


_GOOD = _part(b"1", _FILE)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", NOT_MULTIPART),
        (_END, NOT_MULTIPART),
        (b"preamble\r\n" + _GOOD + _END, NOT_MULTIPART),
        (b"\r\n" + _GOOD + _END, NOT_MULTIPART),
        (_GOOD, FORM_CUT_OFF),
        (_GOOD + b"--b", FORM_CUT_OFF),
        (_GOOD + b"--b-", FORM_CUT_OFF),
        (_GOOD + b"--b-- \r\n", FORM_CUT_OFF),
        (_GOOD + _END + b"epilogue", FORM_CUT_OFF),
        (_GOOD + _END + _GOOD + _END, NOT_MULTIPART),
        (_GOOD + b"--b \r\n" + _TEXT + b"\r\n\r\n1\r\n" + _END, NOT_MULTIPART),
        (_GOOD.replace(b"\r\n", b"\n") + _END, NOT_MULTIPART),
        (_GOOD.replace(b"\r\n", b"\r") + _END, NOT_MULTIPART),
        (_part(b"1\n--b\n2", _FILE) + _END, NOT_MULTIPART),
        (_part(b"1\r\n--bx", _FILE) + _END, NOT_MULTIPART),
        (_part(b"1--b", _FILE) + _END, NOT_MULTIPART),
        (_part(b"1\r\n--b--", _FILE) + _END, NOT_MULTIPART),
        (_GOOD * 11 + _END, FORM_TOO_LARGE),
        (_GOOD + b"--b" * 1_000_000, FORM_TOO_LARGE),
    ],
)
def test_a_boundary_stands_between_parts_only(body: bytes, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        _read(body)
    assert refused.value.refusal == refusal


@pytest.mark.parametrize(
    ("boundary", "refusal"),
    [("", NO_BOUNDARY), ("b" * 71, NOT_MULTIPART), ("a b", NOT_MULTIPART), ("\xe9", NOT_MULTIPART)],
)
def test_an_odd_boundary_is_none(boundary: str, refusal: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        _read(_GOOD + _END, boundary)
    assert refused.value.refusal == refusal


_NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\%/'), min_size=1
)
_DATA = st.binary(max_size=60) | st.sampled_from(
    [b"\r\n", b"\r\n--", b"--", b"\n\n--b\n", b"\r", b"\r\n\r\n", b"a\r\n--"]
)
_PARTS = st.builds(FormPart, _NAMES, st.none() | _NAMES, st.none() | st.just("image/png"), _DATA)


@given(st.lists(_PARTS, min_size=1, max_size=4))
def test_what_is_written_is_what_every_parser_reads(parts: list[FormPart]) -> None:
    written = write_parts(parts)
    _, parameters = read_value(written.content_type)
    boundary = parameters["boundary"]
    assert list(read_parts(boundary, written.data, 4)) == parts
    assert _read_by_multipart(written.data, boundary) == _fields(tuple(parts))
    assert [field[:2] for field in _read_by_starlette(written.data, written.content_type)] == [
        field[:2] for field in _fields(tuple(parts))
    ]
    texts = [p for p in parts if p.file_name is None]
    files = _fields(tuple(p for p in parts if p.file_name is not None))
    read = _read_by_werkzeug(written.data, boundary)
    assert sorted(field for field in read if field[1] is not None) == sorted(files)
    assert sorted(n for n, file_name, _ in read if file_name is None) == sorted(
        part.name for part in texts
    )


_PIECES = st.sampled_from(
    [
        *(b"--b", b"--b\r\n", b"--b--", b"--b--\r\n", b"\r\n--b", b"\n--b\n", b"--b \r\n", b"--bx"),
        *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b": ", b";", b'"', b"\\", b"\0", b"  "),
        *(_FILE, _TEXT, _FILE + b"\r\n\r\n", _TEXT + b"\r\n\r\n", b"Content-Type: image/png\r\n"),
        *(_part(b"1", _FILE), _part(b"2", _TEXT), b"; filename*=utf-8''x", b'; name="other"'),
        *(b"Content-Disposition: form-data; name=", b"image", b"; filename=a", b"preamble"),
    ]
)


@given(st.lists(_PIECES | st.binary(max_size=3), max_size=8))
def test_a_body_that_is_taken_is_read_by_the_package_multipart_as_well(
    pieces: list[bytes],
) -> None:
    body = _part(b"0", _FILE) + b"".join(pieces) + _END
    try:
        fields = _read(body)
    except Refused:
        return
    with suppress(multipart.MultipartError):
        assert _read_by_multipart(body, "b") == fields
    written = write_parts(read_parts("b", body, 10))
    assert _read_by_multipart(written.data, written.content_type.partition("=")[2]) == fields


@given(st.binary(max_size=40), st.binary(max_size=12), st.integers(0, 90), st.integers(0, 12))
def test_a_body_with_a_flaw_is_refused_or_read_as_by_the_package_multipart(
    data: bytes, flaw: bytes, at: int, length: int
) -> None:
    good = _part(data, _FILE, b"Content-Type: image/png") + _part(b"x", _TEXT) + _END
    body = good[:at] + flaw + good[at + length :]
    try:
        fields = _read(body)
    except Refused:
        return
    with suppress(multipart.MultipartError):
        assert _read_by_multipart(body, "b") == fields
