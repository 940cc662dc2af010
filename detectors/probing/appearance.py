"""Descriptors that tell how two near-duplicates differ: by noise, by motion or by encoding.

``thumbnail`` holds what is large, at 16 by 16 no face can be recognised. ``details`` holds what is
fine: the Haar detail coefficients of each cell, added up with secret random signs. The difference
of two such sums estimates how much the details of the two pictures differ there
(Johnson–Lindenstrauss), and no picture can be recovered from them. Of the colours only the finest
details count, the diagonal ones: files with halved colours hold none of those.
"""

from dataclasses import dataclass
from hashlib import blake2b

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

from detectors.area_means import area_means
from detectors.probing.cells import CROP, GRID, Crops
from detectors.probing.perceptual import Grey

THUMBNAIL_SIDE = 16
_BANDS, _COLOURS = 3, 2
_SCALE = 16
_MAX = np.iinfo(np.int16).max

Weights = npt.NDArray[np.float32]
Values = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Appearance:
    """A picture's descriptors, in grey levels.

    Attributes:
        thumbnail: mean luminance ``(16, 16)``.
        luma: signed sums of the luminance details of each cell, ``(64,)``.
        chroma: the same of the diagonal details of red and blue less twice green, ``(64,)``.
    """

    thumbnail: Values
    luma: Values
    chroma: Values

    def to_bytes(self) -> bytes:
        """Sixteenths of a level as 16-bit integers, little-endian."""
        values = np.concatenate([self.thumbnail.ravel(), self.luma, self.chroma]) * _SCALE
        data: bytes = np.clip(np.rint(values), -_MAX, _MAX).astype("<i2").tobytes()
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> "Appearance":
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            ValueError: the length is another one.
        """
        values: Values = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(_SCALE)
        cells, pixels = GRID * GRID, THUMBNAIL_SIDE**2
        if values.size != pixels + 2 * cells:
            raise ValueError(f"An appearance has {pixels + 2 * cells} values, not {values.size}.")
        thumbnail = values[:pixels].reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        return cls(thumbnail, values[pixels : pixels + cells], values[pixels + cells :])


def secret_weights(key: bytes) -> Weights:
    """What each pixel of a crop counts in the signed sums of its cell: ``(2, 64 cells, 64, 64)``.

    A detail coefficient adds and takes away the pixels of a square of two by two. Added up with
    their signs, those of all bands are one weight a pixel. The first axis tells luminance and
    colour apart.
    """
    (across, down, diagonal), (_, _, colour) = _secret_signs(key)
    return np.stack([_weigh_pixels(across, down, diagonal), _weigh_pixels(0, 0, colour)])


def _secret_signs(key: bytes) -> Weights:
    """Signs of the detail coefficients of every cell: ``(2, 3 bands, 64 cells, 32, 32)`` of ±1."""
    seed = int.from_bytes(blake2b(b"signs", digest_size=16, key=key).digest())
    shape = (_BANDS, GRID * GRID, CROP // 2, CROP // 2, _COLOURS)
    bits = np.random.default_rng(seed).integers(0, 2, size=shape, dtype=np.int8)
    return np.ascontiguousarray(np.moveaxis(2 * bits - 1, -1, 0), dtype=np.float32)


def _weigh_pixels(across: Weights | int, down: Weights | int, diagonal: Weights) -> Weights:
    """Signs of the three bands ``(cells, 32, 32)`` as weights of pixels ``(cells, 64, 64)``."""
    weights = np.empty((GRID * GRID, CROP, CROP), dtype=np.float32)
    weights[:, ::2, ::2] = across + down + diagonal
    weights[:, ::2, 1::2] = -across + down - diagonal
    weights[:, 1::2, ::2] = across - down - diagonal
    weights[:, 1::2, 1::2] = -across - down + diagonal
    return weights


def appearance(grey: Grey, crops: Crops, weights: Weights) -> Appearance:
    """Describe a picture by its luminance ``(H, W)`` uint8 and the crops that were taken of it."""
    cells, rows, columns = crops.shape[:3]
    red, green, blue = cv2.split(crops.reshape(cells * rows, columns, 3))
    outer, inner = cv2.add(red, blue, dtype=cv2.CV_32F), green.astype(np.float32)
    luma = _sum_weighed(cv2.scaleAdd(inner, 2, outer), weights[0, :, :rows, :columns])
    chroma = _sum_weighed(cv2.scaleAdd(inner, -2, outer), weights[1, :, :rows, :columns])
    pixels = rows * columns // 4
    return Appearance(
        area_means(grey, THUMBNAIL_SIDE, THUMBNAIL_SIDE),
        _scale_sums(luma, _BANDS * pixels) / np.float32(4),
        _scale_sums(chroma, pixels),
    )


def _sum_weighed(planes: MatLike, weights: Weights) -> Values:
    """Sums of crops ``(cells * h, w)`` by their weights ``(cells, h, w)``: ``(cells,)``.

    All are whole numbers below 2²⁴, which float32 adds up exactly in any order.
    """
    sums: Values = np.einsum("cij,cij->c", planes.reshape(weights.shape), weights)
    return sums


def _scale_sums(double_sums: Values, coefficients: int) -> Values:
    """Twice the sums of so many coefficients, divided so that the difference of two of them has the
    standard deviation of the differences."""
    scaled: Values = (double_sums / (2 * np.sqrt(coefficients))).astype(np.float32)
    return scaled
