"""A patch that recurs on drawn cloth, at other sizes, turns and light each time."""

import cv2
import numpy as np
from numpy.random import Generator, default_rng

from detectors.findings import Place
from detectors.parsing import Image

SIDE = 100


def cloth(random: Generator, side: int = SIDE) -> Image:
    """Plain cloth with a stripe and a little noise."""
    tile = np.full((side, side, 3), random.integers(60, 200, 3), np.float64)
    column = int(random.integers(side - 20))
    tile[:, column : column + 15] += random.integers(-50, 50, 3)
    return np.clip(tile + random.normal(0, 4, tile.shape), 0, 255).astype(np.uint8)


def printed(seed: int, side: int = SIDE) -> Image:
    """Cloth with one and the same print: somewhere, turned, lit."""
    return printed_at(seed, side)[0]


def printed_at(seed: int, side: int) -> tuple[Image, Place]:
    """The same, and where the patch is, with a margin."""
    random = default_rng(seed)
    tile, size = cloth(random, side), int(random.integers(50, 68))
    blocks = default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    mark = cv2.resize(blocks, (size, size), interpolation=cv2.INTER_NEAREST)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), float(random.uniform(-9, 9)), 0.94)
    cover = cv2.warpAffine(np.ones((size, size), np.float32), turn, (size, size))[..., None]
    lit = cv2.warpAffine(mark, turn, (size, size)) * random.uniform(0.7, 1.0)
    top, left = (int(value) for value in random.integers(0, side - size, 2))
    place = tile[top : top + size, left : left + size]
    place[:] = (place * (1 - cover) + lit * cover).astype(np.uint8)
    end = min(side, left + size + 10), min(side, top + size + 10)
    return tile, Place(max(0, left - 10), max(0, top - 10), *end)
