"""Finds pictures in the body of a request, for reports after the fact.

It decides nothing: in the mode ``gate`` the sidecar reads the body itself, by its strict rules.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from email.message import Message
from email.parser import HeaderParser

_MAX_PICTURES = 16
_STANDARD = bytes.maketrans(b"-_", b"+/")


def find_pictures(content_type: str, body: bytes, fields: Sequence[str]) -> list[bytes]:
    """The pictures of a body, sixteen at most; none where it cannot be read.

    Args:
        content_type: as the client sent it.
        fields: names of fields, in a form or in JSON, that may hold a picture.
    """
    head = _read_head(f"Content-Type: {content_type}")
    media_type = head.get_content_type()
    if media_type.startswith("image/"):
        return [body]
    if media_type == "multipart/form-data":
        return list(_find_in_form(head.get_param("boundary"), body, fields))[:_MAX_PICTURES]
    if media_type == "application/json":
        return list(_find_in_json(body, fields))[:_MAX_PICTURES]
    return []


def _read_head(text: str) -> Message:
    return HeaderParser().parsestr(text)


def _find_in_form(boundary: object, body: bytes, fields: Sequence[str]) -> Iterator[bytes]:
    if not isinstance(boundary, str) or not boundary:
        return
    delimiter = b"--" + boundary.encode("utf-8", "replace")
    for part in _split_parts(body, delimiter):
        head, separator, content = part.partition(b"\r\n\r\n")
        name = _read_head(head.decode("utf-8", "replace")).get_param(
            "name", header="content-disposition"
        )
        if separator and name in fields and content:
            yield content


def _split_parts(body: bytes, delimiter: bytes) -> Iterator[bytes]:
    """Each part with its headers, without the line breaks that belong to the delimiters."""
    start = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter)
    while start >= 0:
        begin = body.find(b"\r\n", start + len(delimiter))
        end = body.find(b"\r\n" + delimiter, begin)
        if begin < 0 or end < 0:
            return
        yield body[begin + 2 : end]
        start = end + 2


def _find_in_json(body: bytes, fields: Sequence[str]) -> Iterator[bytes]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    if not isinstance(value, dict):
        return
    for name in fields:
        text = value.get(name)
        if isinstance(text, str) and (picture := _decode(text)):
            yield picture


def _decode(text: str) -> bytes:
    """Base64 in either alphabet, also behind the head of a data URL; empty if it is none."""
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    try:
        packed = b"".join(encoded.encode("ascii").translate(_STANDARD).split()).rstrip(b"=")
        return b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except ValueError:
        return b""
