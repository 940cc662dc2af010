"""A JSON document in which pictures stand in slots, and the same document with others in them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from inference.bodies.json_document import MEDIA_TYPE
from inference.refusals import FORM_TOO_LARGE, Refused
from inference.upstream.requests.json_places import Pointer, put_value
from inference.upstream.requests.picture_text import PictureText
from inference.upstream.requests.sent_request import GatedBody, RequestLimits


class JsonSlot(Protocol):
    """A value of a document that holds pictures."""

    @property
    def place(self) -> Pointer:
        """Where the value stands."""
        ...

    @property
    def count(self) -> int:
        """How many pictures it holds."""
        ...

    def write(self, pictures: Sequence[bytes]) -> object:
        """The value with these pictures in it; without pictures, what it has besides them."""
        ...


@dataclass(frozen=True)
class TextSlot:
    """A picture that is written as text."""

    place: Pointer
    text: PictureText
    count: int = 1

    def write(self, pictures: Sequence[bytes]) -> str:
        """The picture as the service expects it."""
        return "".join(map(self.text.write, pictures))


@dataclass(frozen=True)
class JsonBody:
    """A document, and where in it the pictures are."""

    document: object
    slots: Sequence[JsonSlot]

    def write(self, pictures: Sequence[bytes]) -> GatedBody:
        """The document anew."""
        document = fill_slots(self.document, self.slots, iter(pictures))
        return GatedBody(MEDIA_TYPE, write_document(document))


def fill_slots(document: object, slots: Sequence[JsonSlot], pictures: Iterator[bytes]) -> object:
    """A copy of a document with other pictures in its slots, taken one after the other."""
    for slot in slots:
        value = slot.write([next(pictures) for _ in range(slot.count)])
        document = put_value(document, slot.place, value)
    return document


def check_rest(document: object, slots: Sequence[JsonSlot], limits: RequestLimits) -> None:
    """Refuse a document with much besides its pictures.

    Raises:
        Refused: it has.
    """
    for slot in slots:
        document = put_value(document, slot.place, slot.write([]))
    if len(write_document(document)) > limits.max_text_bytes:
        raise Refused(FORM_TOO_LARGE)


def write_document(document: object) -> bytes:
    """JSON in ASCII: no other encoding is mistaken for it."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")
