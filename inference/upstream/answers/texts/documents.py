"""JSON of few values, read whole, and pointers into it (RFC 8259, RFC 6901)."""

from collections.abc import Mapping, Sequence

from inference.bodies import json_document
from inference.refusals import Refused
from inference.upstream.answers.errors import AnswerUnreadable

# An array or object costs up to two hundred bytes; long texts, such as pictures, have no commas.
_MAX_COMMAS = 1 << 18
_MAX_SHOWN = 80


def read_document(body: bytes) -> object:
    """The value of a JSON text in UTF-8, each name once, finite numbers.

    Raises:
        AnswerUnreadable: it is no such text, is nested deeply, or has too many values.
    """
    if body.count(b",") > _MAX_COMMAS:
        raise AnswerUnreadable("The answer has more values than this kind of answer needs.")
    try:
        return json_document.read_document(body)
    except Refused:
        raise AnswerUnreadable("The answer is no JSON that can be read.") from None


def split_pointer(pointer: str) -> tuple[str, ...]:
    """The names of a pointer.

    >>> split_pointer("/a~1b/0"), split_pointer("")
    (('a/b', '0'), ())
    """
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:])


def find_value(document: object, pointer: str) -> object:
    """What a pointer points at.

    Raises:
        AnswerUnreadable: nothing is there.
    """
    value = document
    for name in split_pointer(pointer):
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            raise AnswerUnreadable(f"The answer has nothing at {pointer}.")
    return value


def find_list(document: object, pointer: str) -> Sequence[object]:
    """The array that a pointer points at.

    Raises:
        AnswerUnreadable: none is there.
    """
    value = find_value(document, pointer)
    if not isinstance(value, list):
        raise AnswerUnreadable(f"The answer has no list at {pointer or 'its root'}.")
    return value


def show(value: object) -> str:
    """A value of an answer in a sentence: short, and on one line."""
    text = repr(value[:_MAX_SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= _MAX_SHOWN + 2 else f"{text[:_MAX_SHOWN]}…"
