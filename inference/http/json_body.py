"""Reads a picture in base64 out of JSON (RFC 8259, RFC 4648). It runs in a thread."""

import json
from binascii import Error, a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from inference.refusals import (
    ADDRESS_INSTEAD,
    NO_BASE64,
    NO_JSON_FIELD,
    NOT_JSON,
    TOO_MANY_BYTES,
    Refused,
)
from inference.upload import Upload

MEDIA_TYPE = "application/json"
_BLANKS = b" \t\r\n"
# Both alphabets are read, as one.
_STANDARD = bytes.maketrans(b"-_", b"+/")
# Each with its colon, which base64 does not have.
_ADDRESSES = ("http:", "https:", "file:", "ftp:", "s3:", "gs:")
_MAX_HEAD_CHARACTERS = 200


@dataclass(frozen=True)
class SentJson:
    """A JSON body as it came: nothing in it was looked at yet.

    Attributes:
        chunks: the body, in pieces as they came; taken out when it is read.
        fields: names under which the picture may stand.
        max_bytes: of the picture.
    """

    chunks: list[bytes]
    fields: Sequence[str]
    max_bytes: int

    def read_upload(self) -> Upload:
        """The picture, hashed.

        Raises:
            Refused: it is no JSON object, or holds no picture in base64 or several.
        """
        body = b"".join(self.chunks)
        self.chunks.clear()
        declared, text = _split_data_url(_pick_text(_read_object(body), self.fields))
        data = _decode(text)
        if len(data) > self.max_bytes:
            raise Refused(TOO_MANY_BYTES)
        return Upload.hash_now(data, declared)


def _read_object(body: bytes) -> dict[str, object]:
    """A JSON object in UTF-8, whatever else the client names; each name once."""
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_check_names, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise Refused(NOT_JSON) from None
    if not isinstance(value, dict):
        raise Refused(NOT_JSON)
    return value


def _check_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _pick_text(value: dict[str, object], fields: Sequence[str]) -> str:
    texts = [value[name] for name in fields if name in value]
    if len(texts) != 1 or not isinstance(texts[0], str):
        raise Refused(NO_JSON_FIELD)
    return texts[0]


def _split_data_url(text: str) -> tuple[str | None, str]:
    """The media type that a data URL declares, and the base64 behind it (RFC 2397)."""
    text = text.strip()
    if text[:10].lower().startswith(_ADDRESSES):
        raise Refused(ADDRESS_INSTEAD)
    if text[:5].lower() != "data:":
        return None, text
    head, _, encoded = text[5:].partition(",")
    media_type, *parameters = head[:_MAX_HEAD_CHARACTERS].lower().split(";")
    if "base64" not in parameters:
        raise Refused(NO_BASE64)
    return media_type or None, encoded


def _decode(text: str) -> bytes:
    """Base64 in either alphabet, with or without line breaks and filling."""
    try:
        packed = text.encode("ascii").translate(_STANDARD, _BLANKS).rstrip(b"=")
        return a2b_base64(packed + b"=" * (-len(packed) % 4), strict_mode=True)
    except (UnicodeEncodeError, Error):
        raise Refused(NO_BASE64) from None
