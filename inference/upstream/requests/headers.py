"""Reads headers that all readers must understand alike: what could be read twice is refused."""

import re
from collections.abc import Mapping, Sequence

from inference.refusals import NOT_MULTIPART, PACKED_BODY, UNKNOWN_BODY, Refused

Headers = Sequence[tuple[bytes, bytes]]
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
# Backslashes are escapes to some readers and text to others.
_VALUE = rf'(?:{_WORD}|"[^"\\\x00-\x1f\x7f]*+")'
_PARAMETER = re.compile(rf"[ \t]*+;[ \t]*+({_WORD})=({_VALUE})")
_HEADER = re.compile(rf"({_WORD}(?:/{_WORD})?)((?:{_PARAMETER.pattern})*+)[ \t]*+;?[ \t]*+")
_MAX_CHARACTERS = 2_048
_CHARSETS = {"utf-8", "us-ascii"}


def read_value(header: str) -> tuple[str, Mapping[str, str]]:
    """The value of a header in small letters, and its parameters by name in small letters.

    Raises:
        ValueError: it is not written as RFC 9110 has it, or a parameter stands twice.

    >>> read_value('form-data; name="a b"; filename=c.png')
    ('form-data', {'name': 'a b', 'filename': 'c.png'})
    """
    words = _HEADER.fullmatch(header) if len(header) <= _MAX_CHARACTERS else None
    if words is None:
        raise ValueError("not a value with parameters")
    pairs = _PARAMETER.findall(words[2])
    parameters = {name.lower(): text.strip('"') for name, text in pairs}
    if len(parameters) < len(pairs):
        raise ValueError("a parameter stands twice")
    return words[1].lower(), parameters


def read_content_type(headers: Headers) -> tuple[str, Mapping[str, str]]:
    """The media type of a body and its parameters; an empty one if none is named.

    Raises:
        Refused: it is named twice or unclearly, in another charset than UTF-8, or the body is
            compressed.
    """
    packings = {value.strip().lower() for value in _list(headers, b"content-encoding")}
    if packings - {b"", b"identity"}:
        raise Refused(PACKED_BODY)
    values = _list(headers, b"content-type")
    if not values:
        return "", {}
    try:
        (value,) = values
        media_type, parameters = read_value(value.decode("ascii").strip())
    except ValueError:
        raise Refused(UNKNOWN_BODY) from None
    check_charset(parameters)
    return media_type, parameters


def check_charset(parameters: Mapping[str, str]) -> None:
    """Refuse text that some readers would decode as another charset than UTF-8.

    Raises:
        Refused: another one is named.
    """
    if parameters.get("charset", "utf-8").lower() not in _CHARSETS:
        raise Refused(NOT_MULTIPART.saying("The body names another charset: send text in UTF-8."))


def read_number(headers: Headers, name: bytes) -> int | None:
    """The whole number of a header, ``None`` without one.

    Raises:
        ValueError: it stands twice, or is no whole number.
    """
    values = _list(headers, name)
    if not values:
        return None
    (value,) = values
    if not re.fullmatch(rb"[0-9]{1,12}", value):
        raise ValueError("not a whole number")
    return int(value)


def _list(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]
