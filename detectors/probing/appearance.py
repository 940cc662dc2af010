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
    """Signs for every detail coefficient of every cell: ``(2, 3 bands, 64 cells, 32, 32)`` of ±1.

    The first axis tells luminance and colour apart.
    """
    seed = int.from_bytes(blake2b(b"signs", digest_size=16, key=key).digest())
    shape = (_BANDS, GRID * GRID, CROP // 2, CROP // 2, _COLOURS)
    bits = np.random.default_rng(seed).integers(0, 2, size=shape, dtype=np.int8)
    return np.ascontiguousarray(np.moveaxis(2 * bits - 1, -1, 0), dtype=np.float32)


def appearance(image: Image, signs: Signs) -> Appearance:
    """Describe a picture ``(H, W, 3)`` uint8."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    thumbnail = cv2.resize(grey, side, interpolation=cv2.INTER_AREA)
    # Whole numbers of 16 bits hold all of these sums, and take half the memory.
    middles = crops(image).astype(np.int16)
    red, green, blue = middles[..., 0], middles[..., 1], middles[..., 2]
    outer, inner = red + blue, 2 * green
    luma = _sum_signed(_double_details(outer + inner), signs[0]) / np.float32(4)
    chroma = _sum_signed(_double_diagonals(outer - inner)[None], signs[1, -1:])
    return Appearance(np.asarray(thumbnail, dtype=np.float32), luma, chroma)


def _double_details(plane: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Twice the orthonormal Haar details of crops ``(cells, h, w)``: ``(3, cells, h/2, w/2)``."""
    left, right = plane[..., ::2], plane[..., 1::2]
    across, along = left - right, left + right
    return np.stack(
        [
            across[:, ::2] + across[:, 1::2],
            along[:, ::2] - along[:, 1::2],
            across[:, ::2] - across[:, 1::2],
        ]
    )


def _double_diagonals(plane: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """The last band of :func:`_double_details` alone: ``(cells, h/2, w/2)``."""
    across = plane[..., ::2] - plane[..., 1::2]
    return np.asarray(across[:, ::2] - across[:, 1::2], dtype=np.int16)


def _sum_signed(double_details: npt.NDArray[np.int16], signs: Signs) -> Values:
    """Signed sums of twice the details ``(bands, cells, h, w)``: ``(cells,)``.

    Divided so that the difference of two sums has the standard deviation of the differences.
    """
    bands, _, rows, columns = double_details.shape
    details = double_details.astype(np.float32)
    sums = np.einsum("bcij,bcij->c", details, signs[:, :, :rows, :columns])
    values: Values = (sums / (2 * np.sqrt(bands * rows * columns))).astype(np.float32)
    return values
