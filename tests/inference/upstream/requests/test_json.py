"""Pictures in JSON, by the shipped presets."""

import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest

from inference.refusals import (
    ADDRESS_INSTEAD,
    FORM_TOO_LARGE,
    NO_BASE64,
    NO_PICTURE,
    NOT_JSON,
    PICTURE_ELSEWHERE,
    TOO_MANY_BYTES,
    TOO_MANY_PICTURES,
    Refusal,
)
from tests.inference.upstream.requests.bodies import (
    CALL,
    FORM_DOOR,
    HF,
    JSON,
    make_door,
    to_base64,
    to_json,
)
from tests.inference.upstream.requests.conftest import read, refusal_of


def test_json_goes_on_as_what_was_parsed(jpeg: bytes, png: bytes) -> None:
    body = b' {"image" : "%s", "n": [1, 2.50, null, "\\ud800\\u00e9"]}\n' % b64encode(jpeg)
    sent = read(FORM_DOOR, body, "application/json; charset=UTF-8")
    assert [upload.data for upload in sent.uploads] == [jpeg]
    rest = {"n": [1, 2.5, None, "\ud800\u00e9"]}
    rebuilt = sent.rebuild()
    assert rebuilt.content_type == JSON
    assert json.loads(rebuilt.data) == {"image": to_base64(jpeg), **rest}
    assert json.loads(sent.rebuild([png]).data) == {"image": to_base64(png), **rest}
    assert sent.rebuild() == rebuilt


def test_either_coding_is_kept(jpeg: bytes, png: bytes) -> None:
    text = f"data:image/jpeg;base64,{to_base64(jpeg)}"
    sent = read(FORM_DOOR, to_json(img=text), JSON)
    assert sent.uploads[0].declared_type == "image/jpeg"
    rebuilt = json.loads(sent.rebuild([png]).data)
    assert rebuilt == {"img": f"data:image/png;base64,{to_base64(png)}"}


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
    door = make_door(**changes)
    body = to_json(image=text)
    if not is_read:
        assert refusal_of(door, body, JSON) == NO_BASE64
        return
    sent = read(door, body, JSON)
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
    door = {"form": FORM_DOOR, "modelscope": CALL, "hf": HF}[preset]
    body: dict[str, dict[str, Any]] = {
        "form": {"file": text},
        "modelscope": {"input": {"image": text}},
        "hf": {"inputs": text},
    }
    assert refusal_of(door, to_json(**body[preset]), JSON) == ADDRESS_INSTEAD


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
    assert refusal_of(FORM_DOOR, body, JSON) == refusal


def test_words_that_look_a_little_like_base64_pass(jpeg: bytes) -> None:
    notes = {
        "a": "QkQkQkQkQkQkQkQkQkQkQkQkQk",
        "b": "/9j/",
        "c": "data:text/plain,x",
        "d": "R0lGOD",
    }
    assert len(read(FORM_DOOR, to_json(image=to_base64(jpeg), **notes), JSON).uploads) == 1


def test_modelscopes_server_is_sent_one_alphabet(jpeg: bytes) -> None:
    text = urlsafe_b64encode(jpeg).decode().rstrip("=")
    sent = read(CALL, to_json(input={"any": text}, parameters={"a": 1}), JSON)
    assert sent.uploads[0].data == jpeg
    rebuilt = json.loads(sent.rebuild().data)
    assert rebuilt == {"input": {"any": to_base64(jpeg)}, "parameters": {"a": 1}}


@pytest.mark.parametrize("document", [{"input": "AAAA"}, {"input": {}}, {"parameters": {}}])
def test_an_input_of_modelscope_that_is_no_object_holds_no_picture(
    document: dict[str, Any],
) -> None:
    assert refusal_of(CALL, to_json(**document), JSON) == NO_PICTURE
