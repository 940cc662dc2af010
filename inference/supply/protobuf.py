"""Reads protocol buffers strictly: what a schema does not list, is not read but refused.

A usual reader skips fields that it does not know and merges fields that come twice; what one reader
checks and another one loads could then differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VARINT, BYTES, FIXED32 = 0, 2, 5
_MAX_VARINT_BYTES = 10

# Values by the name of their field, in the order of the file.
Message = Mapping[str, list[Any]]


class MalformedMessage(Exception):
    """Bytes that end too early or are no protocol buffer."""


class UnknownField(Exception):
    """A field that the schema does not list, lists as another type, or lists as single.

    Attributes:
        message: name of the schema.
        number: of the field.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(f"field {number} of {message}")
        self.message, self.number = message, number


@dataclass(frozen=True)
class Field:
    """One field of a message; ``schema`` if it is a message itself."""

    number: int
    name: str
    wire_type: int = BYTES
    schema: "Schema | None" = None
    is_repeated: bool = False


class Schema:
    """The fields that a message may have."""

    def __init__(self, name: str, *fields: Field) -> None:
        self.name = name
        self.by_tag = {field.number << 3 | field.wire_type: field for field in fields}


def read_message(data: memoryview, schema: Schema) -> Message:
    """Read a whole message.

    Returns:
        For each field of the schema its values: integers, views of bytes, or messages.

    Raises:
        MalformedMessage: the bytes end too early.
        UnknownField: a field is not as the schema lists it.
    """
    message: dict[str, list[Any]] = {field.name: [] for field in schema.by_tag.values()}
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        field = schema.by_tag.get(tag)
        if field is None or (message[field.name] and not field.is_repeated):
            raise UnknownField(schema.name, tag >> 3)
        value, position = _read_value(data, position, field)
        message[field.name].append(value)
    return message


def _read_value(data: memoryview, position: int, field: Field) -> tuple[Any, int]:
    if field.wire_type == VARINT:
        return _read_varint(data, position)
    length = 4
    if field.wire_type == BYTES:
        length, position = _read_varint(data, position)
    end = position + length
    if end > len(data):
        raise MalformedMessage
    inner = data[position:end]
    return (inner if field.schema is None else read_message(inner, field.schema)), end


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """An unsigned number, seven bits a byte, the lowest first; and where it ends."""
    value = 0
    for count, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, position + count + 1
    raise MalformedMessage
