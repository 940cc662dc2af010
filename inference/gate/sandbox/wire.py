"""What the service and a worker say to each other: one JSON object a datagram.

A worker that was taken over can answer anything, so replies are checked like any other input.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from detectors.errors import MaskwatchError
from inference.gate.media import MediaType

MAX_MESSAGE_BYTES = 16_384
_MAX_SIGNS = 32
_MAX = 2**53
_ORIENTATIONS = range(1, 9)
_NAME = re.compile("[a-z_]{1,40}")


class BadReply(MaskwatchError):
    """A worker answered something that no worker of ours says."""


@dataclass(frozen=True)
class Order:
    """Decode the upload in the arena.

    Attributes:
        number: comes back in the reply, so that no reply is taken for another order's.
    """

    number: int
    upload_bytes: int
    media_type: MediaType

    def to_bytes(self) -> bytes:
        """The datagram."""
        return json.dumps(vars(self)).encode()

    @classmethod
    def from_bytes(cls, message: bytes) -> "Order":
        """Read a datagram of the service."""
        data = json.loads(message)
        return cls(data["number"], data["upload_bytes"], MediaType(data["media_type"]))


@dataclass(frozen=True)
class Reply:
    """What became of an order.

    Attributes:
        number: of the order.
        refusal: code of a refusal; empty where there is a picture.
        width: pixels, upright; 0 without a picture.
        height: likewise.
        file_width: pixels, as they lie in the file.
        file_height: likewise.
        orientation: how they lie there, as EXIF numbers it, 1 to 8.
        depth: bytes of a pixel in the arena: 3, or 4 of which the last is unused.
        signs: codes of gate rules with the numbers that speak for them.
        decode_ms: milliseconds of work.
        peak_bytes: most resident memory during the work; 0 where the system does not tell.
        tired: the worker asks to be replaced.
    """

    number: int = 0
    refusal: str = ""
    width: int = 0
    height: int = 0
    file_width: int = 0
    file_height: int = 0
    orientation: int = 1
    depth: int = 3
    signs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    decode_ms: float = 0.0
    peak_bytes: int = 0
    tired: bool = False

    def to_bytes(self) -> bytes:
        """The datagram."""
        return json.dumps(vars(self)).encode()

    @classmethod
    def from_bytes(cls, message: bytes) -> "Reply":
        """Read a datagram of a worker.

        Raises:
            BadReply: it is anything but a reply.
        """
        try:
            data = json.loads(message)
            reply = cls(**data) if isinstance(data, dict) else None
        except (ValueError, TypeError, RecursionError):
            reply = None
        if reply is None or not _is_sound(reply):
            raise BadReply("A decode worker gave an answer that makes no sense.")
        return reply


def _is_sound(reply: Reply) -> bool:
    sizes = (
        *(reply.width, reply.height, reply.peak_bytes),
        *(reply.file_width, reply.file_height),
    )
    return (
        type(reply.number) is int
        and isinstance(reply.refusal, str)
        and all(type(size) is int and 0 <= size < _MAX for size in sizes)
        and bool(reply.refusal) != bool(reply.width and reply.height)
        and type(reply.orientation) is int
        and reply.orientation in _ORIENTATIONS
        and type(reply.depth) is int
        and reply.depth in {3, 4}
        and _is_number(reply.decode_ms)
        and reply.decode_ms >= 0
        and type(reply.tired) is bool
        and _are_signs(reply.signs)
    )


def _are_signs(signs: Any) -> bool:
    return (
        isinstance(signs, dict)
        and len(signs) <= _MAX_SIGNS
        and all(_is_name(code) and _are_numbers(numbers) for code, numbers in signs.items())
    )


def _are_numbers(numbers: Any) -> bool:
    return (
        isinstance(numbers, dict)
        and len(numbers) <= _MAX_SIGNS
        and all(_is_name(name) and _is_number(value) for name, value in numbers.items())
    )


def _is_name(text: str) -> bool:
    """What becomes a key in records and pages."""
    return _NAME.fullmatch(text) is not None


def _is_number(value: Any) -> bool:
    """A number that fits into a float; comparisons with NaN are false."""
    return type(value) in {int, float} and -_MAX < value < _MAX
