"""Tiles of a picture: where they lie, how one is hidden, how one is put somewhere else."""

import numpy as np
import numpy.typing as npt

from detectors.parsing import Image
from detectors.resample import Box


def strips(count: int, size: tuple[int, int], shift: float) -> tuple[Box, ...]:
    """Overlapping strips across the longer side, which together cover it.

    Args:
        count: how many.
        size: height and width of the picture.
        shift: 0 to 1; moves the borders, so that nobody knows where they lie.
    """
    spans = _spans(count, shift)
    if size[0] >= size[1]:
        return tuple(Box(top=start, bottom=stop) for start, stop in spans)
    return tuple(Box(left=start, right=stop) for start, stop in spans)


def cut(strip: Box, count: int, shift: float) -> tuple[Box, ...]:
    """Overlapping tiles along a strip."""
    spans = _spans(count, shift)
    if (strip.left, strip.right) == (0.0, 1.0):
        return tuple(strip._replace(left=start, right=stop) for start, stop in spans)
    return tuple(strip._replace(top=start, bottom=stop) for start, stop in spans)


def hide_tile(image: Image, tile: Box) -> Image:
    """The picture ``(H, W, 3)`` with a tile filled from what lies along its sides.

    Colours run straight from side to side (the mean of both directions, as in a Coons patch): a
    flat square with sharp edges would itself be an odd thing for a network to see.
    """
    result = image.copy()
    rows, columns = _pixels(tile, image)
    down = _between(image, rows, columns)
    across = _across(image, rows, columns)
    fills = [each for each in (down, across) if each is not None]
    if not fills:
        result[rows, columns] = image[rows, columns].mean(axis=(0, 1)).round().astype(np.uint8)
        return result
    result[rows, columns] = np.rint(sum(fills) / len(fills)).astype(np.uint8)
    return result


def _across(image: Image, rows: slice, columns: slice) -> npt.NDArray[np.float32] | None:
    fill = _between(image.transpose(1, 0, 2), columns, rows)
    return None if fill is None else fill.transpose(1, 0, 2)


def _between(image: Image, rows: slice, columns: slice) -> npt.NDArray[np.float32] | None:
    """Colours from the row above a tile to the row below it; ``None`` if neither is there."""
    above = image[rows.start - 1, columns] if rows.start > 0 else None
    below = image[rows.stop, columns] if rows.stop < image.shape[0] else None
    first, last = (below if above is None else above), (above if below is None else below)
    if first is None or last is None:
        return None
    share = np.linspace(0, 1, rows.stop - rows.start, dtype=np.float32)[:, None, None]
    return np.asarray(first * (1 - share) + last * share, dtype=np.float32)


def put(image: Image, tile: Box, place: Box, background: Image) -> Image:
    """Copy a tile of a picture to a place of equal size in ``background``, a picture of its size.

    Where the sizes differ by a pixel, the smaller one counts.
    """
    result = background.copy()
    (rows, columns), (to_rows, to_columns) = _pixels(tile, image), _pixels(place, image)
    target, source = result[to_rows, to_columns], image[rows, columns]
    height, width = min(target.shape[0], source.shape[0]), min(target.shape[1], source.shape[1])
    target[:height, :width] = source[:height, :width]
    return result


def other_places(tile: Box, draws: npt.NDArray[np.float64]) -> tuple[Box, ...]:
    """Places of a tile's size that do not touch it, as far as the picture has room for any.

    Args:
        tile: where it was.
        draws: 0 to 1, ``(n, 2)``: where each place lies, down and across.
    """
    height, width = tile.bottom - tile.top, tile.right - tile.left
    corners = draws * (1 - height, 1 - width)
    down = np.abs(corners[:, 0] - tile.top) / height
    across = np.abs(corners[:, 1] - tile.left) / width
    distances = np.maximum(down, across)
    selection = corners[distances >= min(1.0, float(distances.max()))]
    return tuple(Box(top, top + height, left, left + width) for top, left in selection.tolist())


def _spans(count: int, shift: float) -> list[tuple[float, float]]:
    """Start and stop of overlapping intervals over 0 to 1, each 1.7 steps long."""
    step = 1 / (count - 0.3)
    starts = (np.arange(count) - 0.5 + 0.3 * shift) * step
    return [(max(0.0, float(start)), min(1.0, float(start + 1.7 * step))) for start in starts]


def _pixels(tile: Box, image: Image) -> tuple[slice, slice]:
    """Rows and columns of a tile, at least one of each."""
    height, width = image.shape[:2]
    top, left = min(height - 1, round(tile.top * height)), min(width - 1, round(tile.left * width))
    bottom = max(top + 1, round(tile.bottom * height))
    right = max(left + 1, round(tile.right * width))
    return slice(top, bottom), slice(left, right)
