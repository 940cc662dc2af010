"""Where a fingerprint looks: a grid of cells with a crop at full resolution in the middle of each.

The cost is bounded whatever the picture's size, and nothing is scaled away: what a search changes
from query to query is often single pixels.
"""

import numpy as np
import numpy.typing as npt

from detectors.parsing import Image

Crops = npt.NDArray[np.uint8]

GRID = 8
CROP = 64


def take_crops(image: Image) -> Crops:
    """The middles of the cells of a picture, row by row.

    Args:
        image: ``(H, W, 3)`` uint8.

    Returns:
        ``(GRID * GRID, h, w, 3)`` uint8 with ``h`` and ``w`` even and at most ``CROP``. A side
        of fewer than ``2 * GRID`` pixels is repeated up to that length first.
    """
    height, width = (max(2 * GRID, side) for side in image.shape[:2])
    if (height, width) != image.shape[:2]:
        bottom, right = height - image.shape[0], width - image.shape[1]
        image = np.pad(image, ((0, bottom), (0, right), (0, 0)), mode="wrap")
    rows, columns = _spans(height), _spans(width)
    return np.stack([image[top, left] for top in rows for left in columns])


def _spans(length: int) -> list[slice]:
    """One centred span for each cell along a side."""
    cell = length // GRID
    size = min(CROP, cell) // 2 * 2
    starts = [index * length // GRID + (cell - size) // 2 for index in range(GRID)]
    return [slice(start, start + size) for start in starts]
