"""Pictures that are written as text: base64 and data URLs, read once and written in one way."""

import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import dataclass

from inference.bodies.base64_text import decode_base64, split_data_url
from inference.gate.media import detect
from inference.refusals import (
    ADDRESS_INSTEAD,
    NO_BASE64,
    PICTURE_ELSEWHERE,
    TOO_MANY_BYTES,
    Refusal,
    Refused,
)
from inference.upload import Upload
from inference.upstream.presets.preset import PicturePlace

_OTHER_CHARACTERS = {"standard": "-_", "url": "+/", "either": ""}
_BLANKS = " \t\r\n"
_PATH = re.compile(r"[./\\~]|[A-Za-z][A-Za-z0-9+.-]*+:|[^/\\]{1,255}\.[A-Za-z]{3,5}\Z")
_MAX_HEAD_CHARACTERS = 200
# Enough for the magic bytes of every type, and long for a word.
_MAGIC_CHARACTERS = 24
_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True)
class PictureText:
    """How a picture is written for the upstream.

    Attributes:
        is_data_url: whether it has the head of one; its media type is that of the content.
        is_for_urls: whether the alphabet is that for URLs.
    """

    is_data_url: bool
    is_for_urls: bool

    def write(self, picture: bytes) -> str:
        """Base64 with its filling, on one line."""
        encode = urlsafe_b64encode if self.is_for_urls else b64encode
        head = f"data:{name_type(picture)};base64," if self.is_data_url else ""
        return head + encode(picture).decode("ascii")


def read_picture_text(text: str, place: PicturePlace, max_bytes: int) -> tuple[Upload, PictureText]:
    """The picture that a text stands for, and how to write another in its place.

    Raises:
        Refused: it is an address or a path, it is not written as the place says, or too large.
    """
    declared, encoded = split_data_url(text)
    has_head = is_data_url(text)
    if place.coding != "either" and has_head is (place.coding == "base64"):
        raise Refused(_explain(text))
    data = _decode(encoded, place) if has_head else _decode_text(text, place)
    if len(data) > max_bytes:
        raise Refused(TOO_MANY_BYTES)
    return Upload.hash_now(data, declared), PictureText(has_head, place.alphabet == "url")


def is_data_url(text: str) -> bool:
    """Whether a text is a data URL to any reader."""
    return text.lstrip()[:5].lower() == "data:"


def name_type(picture: bytes) -> str:
    """The media type of a picture, by its content."""
    return str(detect(picture) or "application/octet-stream")


def check_other_text(text: str) -> None:
    """Refuse a picture in a text that is not for one: a service may look for it there.

    Raises:
        Refused: it begins as pictures do, in base64 or in a data URL.
    """
    # Blanks are nothing to lenient readers.
    head = "".join(text.lstrip()[:_MAX_HEAD_CHARACTERS].split())
    encoded = head.partition(",")[2] if is_data_url(head) else head
    if head[:11].lower() == "data:image/" or _begins_as_picture(encoded):
        raise Refused(PICTURE_ELSEWHERE)


def _decode(text: str, place: PicturePlace) -> bytes:
    is_foreign = any(character in text for character in _OTHER_CHARACTERS[place.alphabet])
    is_loose = len(text) % 4 or text.endswith("===") or any(blank in text for blank in _BLANKS)
    if is_foreign or (is_loose and not place.is_lenient):
        raise Refused(NO_BASE64)
    return decode_base64(text)


def _decode_text(text: str, place: PicturePlace) -> bytes:
    try:
        data = _decode(text, place)
    except Refused:
        raise Refused(_explain(text)) from None
    if detect(data) is None and _PATH.match(text):
        raise Refused(ADDRESS_INSTEAD)
    return data


def _explain(text: str) -> Refusal:
    return ADDRESS_INSTEAD if _PATH.match(text) and not is_data_url(text) else NO_BASE64


def _begins_as_picture(encoded: str) -> bool:
    head = encoded[:_MAGIC_CHARACTERS].translate(_STANDARD)
    try:
        data = b64decode(head, validate=True)
    except ValueError:
        return False
    # Two letters are no evidence: a bitmap has four zeros behind its length as well.
    is_word = data[:2] == b"BM" and data[6:10] != bytes(4)
    return len(head) == _MAGIC_CHARACTERS and detect(data) is not None and not is_word
