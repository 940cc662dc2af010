"""Shapes of tensors that hold pictures."""

from collections.abc import Mapping
from typing import Any

from inference.refusals import UNREADABLE_TENSOR, Refused

_MAX_SIDE = 1 << 24
_BATCH = 4  # dimensions of several pictures


def count_pictures(shape: tuple[int, ...]) -> int:
    """How many pictures of pixels a tensor of a shape that was taken holds."""
    return shape[0] if len(shape) == _BATCH else 1


def read_shape(tensor: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape that an input of v2 declares.

    Raises:
        Refused: it is none.
    """
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not 0 < len(shape) <= _BATCH:
        raise Refused(UNREADABLE_TENSOR)
    if not all(type(side) is int and 0 <= side <= _MAX_SIDE for side in shape):
        raise Refused(UNREADABLE_TENSOR)
    return tuple(shape)
