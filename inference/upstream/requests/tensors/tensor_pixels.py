"""Slots of JSON that hold pictures as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from inference.refusals import UNREADABLE_TENSOR, Refused
from inference.upstream.requests.json_places import Pointer
from inference.upstream.requests.tensors.pixel_tensors import Pixels, read_pictures
from inference.upstream.requests.tensors.tensor_shapes import count_pictures

_MAX_VALUE = 255


@dataclass(frozen=True)
class NestedSlot:
    """Nested lists of numbers, as v1 has them."""

    place: Pointer
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many pictures it holds."""
        return count_pictures(self.shape)

    def write(self, pictures: Sequence[bytes]) -> object:
        """The numbers of these pictures."""
        return read_pictures(pictures, self.shape).tolist() if pictures else []


@dataclass(frozen=True)
class FlatSlot:
    """An input of v2 with a shape and its numbers in one list."""

    place: Pointer
    tensor: Mapping[str, Any]
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many pictures it holds."""
        return count_pictures(self.shape)

    def write(self, pictures: Sequence[bytes]) -> object:
        """The input with the numbers and the shape of these pictures."""
        if not pictures:
            return {**self.tensor, "data": []}
        pixels = read_pictures(pictures, self.shape)
        return {**self.tensor, "shape": list(pixels.shape), "data": pixels.ravel().tolist()}


def read_numbers(value: object, shape: tuple[int, ...] | None = None) -> Pixels:
    """Whole numbers from 0 to 255 as an array.

    Args:
        shape: that they must have, as a flat list or nested; as they are nested without one.

    Raises:
        Refused: they are other numbers or do not fit the shape.
    """
    _check_whole(value)
    try:
        numbers = np.asarray(value)
    except ValueError:
        raise Refused(UNREADABLE_TENSOR) from None
    is_whole = numbers.dtype.kind == "i" and numbers.size > 0
    if not is_whole or numbers.min() < 0 or numbers.max() > _MAX_VALUE:
        raise Refused(UNREADABLE_TENSOR)
    if shape is not None and numbers.size != prod(shape):
        raise Refused(UNREADABLE_TENSOR)
    return numbers.astype(np.uint8).reshape(numbers.shape if shape is None else shape)


def _check_whole(value: object) -> None:
    """Refuse anything but whole numbers in lists: arrays of long texts would fill the memory."""
    if not isinstance(value, list):
        raise Refused(UNREADABLE_TENSOR)
    for member in value:
        if type(member) is not int:
            _check_whole(member)
