"""Pictures in forms, in JSON and as whole bodies, by the shipped presets."""

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest

from inference.refusals import (
    ADDRESS_INSTEAD,
    FORM_TOO_LARGE,
    NO_BASE64,
    NO_FILE,
    NO_PICTURE,
    NOT_JSON,
    NOT_MULTIPART,
    PACKED_BODY,
    PICTURE_ELSEWHERE,
    TOO_MANY_BYTES,
    TOO_MANY_PICTURES,
    UNKNOWN_BODY,
    Refusal,
    Refused,
)
from inference.upstream.presets.preset import Door, PicturePlace
from inference.upstream.requests.form_parts import FormPart, read_parts, write_parts
from inference.upstream.requests.read import count_body_bytes, read_request
from tests.inference.upstream.requests.conftest import LIMITS, door_of, read, refusal_of

_JSON = "application/json"
_FORM_DOOR = door_of("form", "/predict")
_CALL = door_of("modelscope", "/call")
_HF = door_of("hf", "/models/org/name")


def _door(**changes: Any) -> Door:
    place = PicturePlace(**{"body": "json", "names": ("/image",), "coding": "base64"} | changes)
    return Door(name="own", kind="picture", paths=("/",), places=(place,))


def _text(picture: bytes) -> str:
    return b64encode(picture).decode()


def _dump(**members: Any) -> bytes:
    return json.dumps(members).encode()


def _form(*parts: FormPart) -> tuple[bytes, str]:
    written = write_parts(parts)
    return written.data, written.content_type


def _read_again(body: bytes, content_type: str) -> tuple[FormPart, ...]:
    return read_parts(content_type.partition("=")[2], body, 10)


def _file(data: bytes, name: str = "image", file_name: str = "a.jpg") -> FormPart:
    return FormPart(name, file_name, "image/jpeg", data)


_NOTE = FormPart("note", None, None, b"hello")


def test_a_form_goes_on_with_the_picture_as_it_came(jpeg: bytes) -> None:
    body, content_type = _form(_NOTE, _file(jpeg))
    sent = read(_FORM_DOOR, body, content_type)
    (upload,) = sent.uploads
    assert (upload.data, upload.declared_type, upload.file_name) == (jpeg, "image/jpeg", "a.jpg")
    assert "sha256" in vars(upload)
    rebuilt = sent.rebuild()
    assert rebuilt.content_type != content_type
    assert _read_again(rebuilt.data, rebuilt.content_type) == (_NOTE, _file(jpeg))


def test_a_form_goes_on_with_another_picture_declared_and_named_as_what_it_is(
    jpeg: bytes, png: bytes
) -> None:
    sent = read(_FORM_DOOR, *_form(_file(jpeg, file_name="a.b.jpg"), _NOTE))
    rebuilt = sent.rebuild([png])
    assert _read_again(rebuilt.data, rebuilt.content_type) == (
        FormPart("image", "a.b.png", "image/png", png),
        _NOTE,
    )


def test_what_the_client_declares_of_a_picture_does_not_go_on(png: bytes) -> None:
    sent = read(_FORM_DOOR, *_form(FormPart("file", "a.html", "text/html", png)))
    rebuilt = sent.rebuild()
    (part,) = _read_again(rebuilt.data, rebuilt.content_type)
    assert (part.file_name, part.media_type) == ("a.png", "image/png")


def test_as_many_files_come_back_as_pictures_were_sent(jpeg: bytes) -> None:
    sent = read(_FORM_DOOR, *_form(_file(jpeg)))
    with pytest.raises(ValueError, match="2 files for 1 pictures"):
        sent.rebuild([jpeg, jpeg])


def test_a_field_in_which_no_file_was_chosen_is_no_picture(jpeg: bytes) -> None:
    empty = FormPart("file", "", "application/octet-stream", b"")
    assert len(read(_FORM_DOOR, *_form(empty, _file(jpeg))).uploads) == 1
    assert refusal_of(_FORM_DOOR, *_form(empty)) == NO_PICTURE


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ([_NOTE], NO_PICTURE),
        ([_file(b"1"), _file(b"2")], TOO_MANY_PICTURES),
        ([_file(b"1"), _file(b"2", "file")], TOO_MANY_PICTURES),
        ([_file(b"1"), FormPart("image", None, None, b"2")], NO_FILE),
        ([_file(b"1"), _file(b"2", "mask")], PICTURE_ELSEWHERE),
        ([_file(b"1"), _file(b"2", "IMAGE")], PICTURE_ELSEWHERE),
        (
            [_file(b"1"), FormPart("x", "", None, b"2")],
            PICTURE_ELSEWHERE,
        ),
        ([_file(b"1"), FormPart("x", None, None, b"\xff\xd8\xff")], PICTURE_ELSEWHERE),
        (
            [_file(b"1"), FormPart("x", None, None, b"data:image/png;base64,AA==")],
            PICTURE_ELSEWHERE,
        ),
        ([_file(b"1"), FormPart("x", None, None, b"a" * 2_001)], FORM_TOO_LARGE),
        ([_file(b"1" * 100_001)], TOO_MANY_BYTES),
    ],
)
def test_a_form_with_pictures_in_other_ways_is_refused(
    parts: list[FormPart], refusal: Refusal
) -> None:
    assert refusal_of(_FORM_DOOR, *_form(*parts)) == refusal


def test_a_form_may_hold_the_picture_as_text(jpeg: bytes, png: bytes) -> None:
    door = _door(body="form", names=("image",), coding="data_url")
    text = f"data:image/jpeg;base64,{_text(jpeg)}"
    sent = read(door, *_form(FormPart("image", None, None, text.encode())))
    assert sent.uploads[0].data == jpeg
    rebuilt = sent.rebuild([png])
    (part,) = _read_again(rebuilt.data, rebuilt.content_type)
    assert part.data.decode() == f"data:image/png;base64,{_text(png)}"
    assert refusal_of(door, *_form(_file(jpeg))) == PICTURE_ELSEWHERE


def test_json_goes_on_as_what_was_parsed(jpeg: bytes, png: bytes) -> None:
    body = b' {"image" : "%s", "n": [1, 2.50, null, "\\ud800\\u00e9"]}\n' % b64encode(jpeg)
    sent = read(_FORM_DOOR, body, "application/json; charset=UTF-8")
    assert [upload.data for upload in sent.uploads] == [jpeg]
    rest = {"n": [1, 2.5, None, "\ud800\u00e9"]}
    rebuilt = sent.rebuild()
    assert rebuilt.content_type == _JSON
    assert json.loads(rebuilt.data) == {"image": _text(jpeg), **rest}
    assert json.loads(sent.rebuild([png]).data) == {"image": _text(png), **rest}
    assert sent.rebuild() == rebuilt


def test_either_coding_is_kept(jpeg: bytes, png: bytes) -> None:
    text = f"data:image/jpeg;base64,{_text(jpeg)}"
    sent = read(_FORM_DOOR, _dump(img=text), _JSON)
    assert sent.uploads[0].declared_type == "image/jpeg"
    rebuilt = json.loads(sent.rebuild([png]).data)
    assert rebuilt == {"img": f"data:image/png;base64,{_text(png)}"}


_BYTES = b"\xfb\xff\xfe?>a"


@pytest.mark.parametrize(
    ("changes", "text", "is_read"),
    [
        ({}, "+//+Pz5h", True),
        ({}, "-__-Pz5h", False),
        ({"alphabet": "url"}, "-__-Pz5h", True),
        ({"alphabet": "url"}, "+//+Pz5h", False),
        ({"alphabet": "either"}, "-/_+Pz5h", True),
        ({}, "+//+\nPz5h", False),
        ({"is_lenient": True}, " +//+\r\nPz5h\n", True),
        ({"is_lenient": True}, "+//+Pz5h====", True),
        ({}, "+//+Pz5h====", False),
        ({}, "+//+Pz5h\x00", False),
        ({}, "+//+Pz5", False),
        ({"is_lenient": True}, "+//+=Pz5h", False),
        ({"is_lenient": True}, "+//+Pz5h*", False),
        ({"is_lenient": True}, "+//+Pz5\uff28", False),
        ({}, "data:image/png;base64,+//+Pz5h", False),
        ({"coding": "data_url"}, "data:image/png;base64,+//+Pz5h", True),
        ({"coding": "data_url"}, "+//+Pz5h", False),
        ({"coding": "data_url"}, "data:image/png,+//+Pz5h", False),
        ({"coding": "data_url"}, "data:;base64,x,+//+Pz5h", False),
    ],
)
def test_base64_is_read_as_the_place_says(
    changes: dict[str, Any], text: str, is_read: bool
) -> None:
    door = _door(**changes)
    body = _dump(image=text)
    if not is_read:
        assert refusal_of(door, body, _JSON) == NO_BASE64
        return
    sent = read(door, body, _JSON)
    assert sent.uploads[0].data == _BYTES
    encode = urlsafe_b64encode if changes.get("alphabet") == "url" else b64encode
    assert json.loads(sent.rebuild().data)["image"].endswith(encode(_BYTES).decode())


@pytest.mark.parametrize(
    "text",
    [
        *("http://a.example/b.png", "HTTPS://a.example", "//a.example/b.png", "s3://b/c", "ftp:x"),
        *("file:///etc/passwd", "/etc/passwd", "./a.png", "..\\a.png", "C:\\a.png", "~/a", "a.png"),
        *("/srv/gradio/a.png", "oss://bucket/a", "javascript:x", "/home/user/face"),
    ],
)
@pytest.mark.parametrize("preset", ["form", "modelscope", "hf"])
def test_an_address_or_a_path_is_no_picture(preset: str, text: str) -> None:
    door = {"form": _FORM_DOOR, "modelscope": _CALL, "hf": _HF}[preset]
    body: dict[str, dict[str, Any]] = {
        "form": {"file": text},
        "modelscope": {"input": {"image": text}},
        "hf": {"inputs": text},
    }
    assert refusal_of(door, _dump(**body[preset]), _JSON) == ADDRESS_INSTEAD


def _nest(depth: int) -> bytes:
    return b'{"image": "AAAA", "x": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b'{"image": "AAAA", "image": "BBBB"}', NOT_JSON),
        (b'{"image": "AAAA", "im\\u0061ge": "BBBB"}', NOT_JSON),
        (b'{"image": "AAAA", "x": NaN}', NOT_JSON),
        (b'{"image": "AAAA", "x": -Infinity}', NOT_JSON),
        (b'{"image": "AAAA", "x": 1e999}', NOT_JSON),
        (b'{"image": "AAAA", "x": 1' + b"0" * 5_000 + b"}", NOT_JSON),
        (b'{"image": "AAAA"} {}', NOT_JSON),
        (b'{"image": "AAAA"}\x00', NOT_JSON),
        (b'\xef\xbb\xbf{"image": "AAAA"}', NOT_JSON),
        ('{"image": "AAAA"}'.encode("utf-16"), NOT_JSON),
        (b'{"image": "AAAA", "x": "\xff"}', NOT_JSON),
        (b"{'image': 'AAAA'}", NOT_JSON),
        (_nest(40), NOT_JSON),
        (_nest(5_000), NOT_JSON),
        (b'"AAAA"', NOT_JSON),
        (b"1", NOT_JSON),
        (b"", NOT_JSON),
        (b"{}", NO_PICTURE),
        (b'{"image": null}', NO_PICTURE),
        (b'{"image": ["AAAA"]}', NO_PICTURE),
        (b'{"image": "AAAA", "file": "BBBB"}', TOO_MANY_PICTURES),
        (b'{"image": "AAAA", "Image": "BBBB"}', PICTURE_ELSEWHERE),
        (b'{"image": "AAAA", "x": "/9j/4AAQSkZJRgABAQAAAQAB"}', PICTURE_ELSEWHERE),
        (b'{"image": "AAAA", "x": "_9j_4AAQSkZJRgABAQAAAQAB"}', PICTURE_ELSEWHERE),
        (b'{"image": "AAAA", "x": "/9j/\\n4AAQ SkZJRgABAQAAAQAB"}', PICTURE_ELSEWHERE),
        (
            b'{"image": "AAAA", "x": "' + b" " * 300 + b'/9j/4AAQSkZJRgABAQAAAQAB"}',
            PICTURE_ELSEWHERE,
        ),
        (b'{"image": "AAAA", "x": ["data:image/gif;base64,R0"]}', PICTURE_ELSEWHERE),
        (b'{"image": "AAAA", "x": "data:;base64,/9j/4AAQSkZJRgABAQAAAQAB"}', PICTURE_ELSEWHERE),
        (b'{"image": "AAAA", "x": "' + b"a" * 2_000 + b'"}', FORM_TOO_LARGE),
        (b'{"image": "AAAA", "x": [' + b"1," * 1_000 + b"1]}", FORM_TOO_LARGE),
        (b'{"image": "AAAA", "x": [' + b'"",' * 1_500 + b'""]}', FORM_TOO_LARGE),
        (b'{"image": "' + b"A" * 140_000 + b'"}', TOO_MANY_BYTES),
    ],
)
def test_other_json_is_refused(body: bytes, refusal: Refusal) -> None:
    assert refusal_of(_FORM_DOOR, body, _JSON) == refusal


def test_words_that_look_a_little_like_base64_pass(jpeg: bytes) -> None:
    notes = {
        "a": "QkQkQkQkQkQkQkQkQkQkQkQkQk",
        "b": "/9j/",
        "c": "data:text/plain,x",
        "d": "R0lGOD",
    }
    assert len(read(_FORM_DOOR, _dump(image=_text(jpeg), **notes), _JSON).uploads) == 1


def test_modelscopes_server_is_sent_one_alphabet(jpeg: bytes) -> None:
    text = urlsafe_b64encode(jpeg).decode().rstrip("=")
    sent = read(_CALL, _dump(input={"any": text}, parameters={"a": 1}), _JSON)
    assert sent.uploads[0].data == jpeg
    rebuilt = json.loads(sent.rebuild().data)
    assert rebuilt == {"input": {"any": _text(jpeg)}, "parameters": {"a": 1}}


@pytest.mark.parametrize("document", [{"input": "AAAA"}, {"input": {}}, {"parameters": {}}])
def test_an_input_of_modelscope_that_is_no_object_holds_no_picture(
    document: dict[str, Any],
) -> None:
    assert refusal_of(_CALL, _dump(**document), _JSON) == NO_PICTURE


def test_a_raw_body_is_declared_as_what_it_is(jpeg: bytes, png: bytes) -> None:
    for content_type in (None, "image/png", "application/x-www-form-urlencoded"):
        sent = read(_HF, jpeg, content_type)
        assert sent.uploads[0].data == jpeg
        assert (sent.rebuild().content_type, sent.rebuild().data) == ("image/jpeg", jpeg)
        assert sent.rebuild([png]).content_type == "image/png"
    assert refusal_of(_HF, b"1" * 100_001, "image/png") == TOO_MANY_BYTES


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
    assert refusal_of(_HF, jpeg, content_type, **headers) == refusal


def test_headers_that_stand_twice_are_refused(jpeg: bytes) -> None:
    for headers, refusal in (
        ([(b"Content-Type", b"image/png"), (b"content-type", b"image/png")], UNKNOWN_BODY),
        ([(b"Content-Encoding", b"identity"), (b"content-encoding", b"br")], PACKED_BODY),
    ):
        with pytest.raises(Refused) as refused:
            read_request(_HF, headers, jpeg, LIMITS)
        assert refused.value.refusal == refusal


def test_an_empty_content_encoding_is_none(jpeg: bytes) -> None:
    assert read(_HF, jpeg, "image/jpeg", content_encoding="").uploads[0].data == jpeg


def test_another_charset_is_refused(jpeg: bytes) -> None:
    body = _dump(inputs=_text(jpeg))
    refusal = refusal_of(_HF, body, "application/json; charset=utf-16")
    assert refusal.code == NOT_MULTIPART.code
    assert read(_HF, body, 'application/json; charset="utf-8"').uploads[0].data == jpeg


def test_a_door_says_how_many_bytes_it_may_take() -> None:
    limits = replace(LIMITS, max_picture_bytes=1_000, max_text_bytes=10)
    upload = door_of("gradio", "/gradio_api/upload")
    form = [(b"content-type", b"multipart/form-data; boundary=b")]
    assert count_body_bytes(_HF, [(b"content-type", b"image/png")], limits) == 1_010
    assert count_body_bytes(_HF, [(b"content-type", b"application/json")], limits) == 12_010
    assert count_body_bytes(upload, form, limits) == 8_010
    with pytest.raises(Refused):
        count_body_bytes(upload, [(b"content-type", b"application/json")], limits)
