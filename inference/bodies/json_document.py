"""Reads JSON so that no other reader can understand it differently (RFC 8259, RFC 7493)."""

import json
from math import isfinite
from typing import NoReturn

from inference.refusals import MUCH_JSON, NOT_JSON, Refused

MEDIA_TYPE = "application/json"
# Reading JSON holds up all threads, by names and values and hardly by bytes: so many of them take a
# few hundredths of a second, and base64 has none of these marks.
_MOST_MARKS = {b",": 20_000, b":": 20_000, b"[": 5_000, b"{": 5_000}


def read_small_document(body: bytes) -> object:
    """One document of little but long texts, as whoever sends a picture in base64 writes it.

    Raises:
        Refused: it is no document, or holds more names and values than go with a picture.
    """
    if any(body.count(mark) > most for mark, most in _MOST_MARKS.items()):
        raise Refused(MUCH_JSON)
    return read_document(body)


def read_document(body: bytes) -> object:
    """One document in UTF-8, whatever else the client names; each name once, finite numbers.

    Raises:
        Refused: it is no such document.
    """
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_check_names,
            parse_constant=_refuse_constant,
            parse_float=_read_float,
        )
    except (ValueError, RecursionError):
        raise Refused(NOT_JSON) from None


def _check_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _read_float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value
