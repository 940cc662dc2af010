"""Brings pixels to a smaller size by the means of areas, as OpenCV does, in less time."""

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

_ROWS_AT_ONCE = 4


def area_means(plane: Plane, width: int, height: int) -> Plane:
    """What ``cv2.resize`` by ``INTER_AREA`` makes of ``(H, W)`` float32, to the last bit.

    OpenCV takes one row after the other, and each pixel of it waits for the sum that it is added
    to. Four rows as four channels do not wait for each other. It pays where a pixel of the result
    covers many.
    """
    if _is_even(plane.shape[1], width) or _is_even(plane.shape[0], height):
        return _resize(plane, width, height)
    return _resize(_narrow(plane, width), width, height)


def _is_even(length: int, new_length: int) -> bool:
    """Whether OpenCV counts whole pixels, or makes more of them: both in another order."""
    return length < new_length or length % new_length == 0


def _narrow(plane: Plane, width: int) -> Plane:
    """All rows ``(H, width)``; at most three at the end are taken one by one."""
    rows = plane.shape[0] // _ROWS_AT_ONCE * _ROWS_AT_ONCE
    rest = plane[rows:]
    parts = [_resize(rest, width, len(rest))] if len(rest) else []
    if rows:
        channels = cv2.merge([plane[first:rows:_ROWS_AT_ONCE] for first in range(_ROWS_AT_ONCE)])
        narrow = _resize(np.asarray(channels), width, rows // _ROWS_AT_ONCE)
        parts.insert(0, narrow.transpose(0, 2, 1).reshape(rows, width))
    return np.concatenate(parts)


def _resize(plane: Plane, width: int, height: int) -> Plane:
    means = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(means, dtype=np.float32)
