"""Maps in tiles: an attack on one part shows in one tile, not in a mean over the picture."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

_TILE_SIDE = 8
_STRONG = 0.3


def as_numpy(values: Any) -> Any:
    """A small map as numpy, from whatever device it was computed on."""
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values)


def tile_means(values: Values) -> Values:
    """Mean of each tile of about eight pixels a side.

    >>> tile_means(np.ones((9, 17), np.float32)).shape
    (1, 2)
    """
    rows, columns = (max(1, side // _TILE_SIDE) for side in values.shape)
    means = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means, dtype=np.float32)


def largest_tile_mean(values: Any) -> float:
    """The largest of the tiles' means of a map ``(h, w)``."""
    return float(tile_means(as_numpy(values)).max())


def worst_tile(values: Values) -> Box:
    """Left, top, right and bottom of the tile with the largest mean, ends exclusive."""
    means = tile_means(values)
    row, column = (int(each) for each in np.unravel_index(int(np.argmax(means)), means.shape))
    high, wide = values.shape[0] / means.shape[0], values.shape[1] / means.shape[1]
    left, right = (round(place * wide) for place in (column, column + 1))
    top, bottom = (round(place * high) for place in (row, row + 1))
    return left, top, right, bottom


def largest_piece(values: Values) -> Box:
    """The box around the connected piece that holds most of a map; without one, the worst tile."""
    strong = (values >= _STRONG).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    if count < 2:
        return worst_tile(values)
    masses = np.bincount(pieces.ravel(), weights=values.ravel(), minlength=count)
    left, top, width, height = (int(each) for each in stats[1 + int(np.argmax(masses[1:]))][:4])
    return left, top, left + width, top + height
