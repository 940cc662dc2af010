"""Bring class probabilities to another size, or a part of them, by averaging areas."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device


class Box(NamedTuple):
    """A part of a picture, in shares of its height and width."""

    top: float = 0.0
    bottom: float = 1.0
    left: float = 0.0
    right: float = 1.0


WHOLE = Box()


def resample(probabilities: Any, size: tuple[int, int], box: Box = WHOLE) -> Any:
    """Probabilities ``(C, h, w)`` within a box, as ``(C, *size)``.

    Each new pixel is the mean over the area that it covers, so that a pixel's probabilities still
    sum to 1. Two products with small matrices, hence the same lines for numpy and torch.
    """
    if box == WHOLE and tuple(probabilities.shape[-2:]) == size:
        return probabilities
    xp = array_namespace(probabilities)
    rows, columns = (
        xp.asarray(weights, device=device(probabilities))
        for weights in (
            area_weights(probabilities.shape[-2], box.top, box.bottom, size[0]),
            area_weights(probabilities.shape[-1], box.left, box.right, size[1]).T.copy(),
        )
    )
    return xp.matmul(xp.matmul(rows, probabilities), columns)


def area_weights(source: int, start: float, stop: float, target: int) -> npt.NDArray[np.float32]:
    """How much each of ``source`` cells counts in each of ``target`` cells: ``(target, source)``.

    >>> area_weights(4, 0.0, 1.0, 2).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    edges = source * np.linspace(start, stop, target + 1)
    low, high = edges[:-1, None], edges[1:, None]
    cells = np.arange(source)
    overlap = np.clip(np.minimum(high, cells + 1) - np.maximum(low, cells), 0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True), dtype=np.float32)
