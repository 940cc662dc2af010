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

from detectors.parsing import Image
from detectors.probing.cells import CROP, GRID, crops

THUMBNAIL_SIDE = 16
_BANDS, _COLOURS = 3, 2
_SCALE = 16
_MAX = np.iinfo(np.int16).max

Signs = npt.NDArray[np.float32]
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


def secret_signs(key: bytes) -> Signs:
    """Signs for every detail coefficient of every cell: ``(3 bands, 64 cells, 32, 32, 2)`` of ±1.

    The last axis tells luminance and colour apart.
    """
    seed = int.from_bytes(blake2b(b"signs", digest_size=16, key=key).digest())
    shape = (_BANDS, GRID * GRID, CROP // 2, CROP // 2, _COLOURS)
    bits = np.random.default_rng(seed).integers(0, 2, size=shape, dtype=np.int8)
    return (2 * bits - 1).astype(np.float32)


def appearance(image: Image, signs: Signs) -> Appearance:
    """Describe a picture ``(H, W, 3)`` uint8."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    thumbnail = cv2.resize(grey, side, interpolation=cv2.INTER_AREA)
    middles: Values = crops(image).astype(np.float32)
    red, green, blue = middles[..., 0], middles[..., 1], middles[..., 2]
    brightness: Values = (red + 2 * green + blue) / np.float32(4)
    luma = _sum_signed(_details(brightness), signs[..., 0])
    chroma = _sum_signed(_details(red + blue - np.float32(2) * green)[-1:], signs[-1:, ..., 1])
    return Appearance(np.asarray(thumbnail, dtype=np.float32), luma, chroma)


def _details(plane: Values) -> Values:
    """Orthonormal Haar details of crops ``(cells, h, w)``: ``(3, cells, h / 2, w / 2)``."""
    a, b = plane[:, ::2, ::2], plane[:, ::2, 1::2]
    c, d = plane[:, 1::2, ::2], plane[:, 1::2, 1::2]
    bands: Values = np.stack([a - b + c - d, a + b - c - d, a - b - c + d])
    bands *= np.float32(0.5)
    return bands


def _sum_signed(bands: Values, signs: Signs) -> Values:
    """Signed sums of ``(bands, cells, h, w)``: ``(cells,)``.

    Divided so that the difference of two sums has the standard deviation of the differences.
    """
    rows, columns = bands.shape[2:]
    sums = np.einsum("bcij,bcij->c", bands, signs[:, :, :rows, :columns])
    values: Values = (sums / np.sqrt(bands.shape[0] * rows * columns)).astype(np.float32)
    return values
