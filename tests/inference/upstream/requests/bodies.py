"""Bodies of requests as clients send them, and the doors they go through."""

import json
from base64 import b64encode
from typing import Any

from inference.upstream.presets.preset import Door, PicturePlace
from inference.upstream.requests.form_parts import FormPart, read_parts, write_parts
from tests.inference.upstream.requests.conftest import door_of

JSON = "application/json"
FORM_DOOR = door_of("form", "/predict")
CALL = door_of("modelscope", "/call")
HF = door_of("hf", "/models/org/name")


def make_door(**changes: Any) -> Door:
    place = PicturePlace(**{"body": "json", "names": ("/image",), "coding": "base64"} | changes)
    return Door(name="own", kind="picture", paths=("/",), places=(place,))


def to_base64(picture: bytes) -> str:
    return b64encode(picture).decode()


def to_json(**members: Any) -> bytes:
    return json.dumps(members).encode()


def make_form(*parts: FormPart) -> tuple[bytes, str]:
    written = write_parts(parts)
    return written.data, written.content_type


def read_again(body: bytes, content_type: str) -> tuple[FormPart, ...]:
    return read_parts(content_type.partition("=")[2], body, 10)


def make_file(data: bytes, name: str = "image", file_name: str = "a.jpg") -> FormPart:
    return FormPart(name, file_name, "image/jpeg", data)
