"""A patch: a small piece of picture that recurs, and how large it is in the pictures it is in."""

from dataclasses import dataclass
from hashlib import sha256
from math import isqrt

import numpy as np

from detectors.errors import MaskwatchError
from detectors.parsing import Image

_MIN_SIDE, _MAX_SIDE = 8, 64
# To look for something smaller, a picture would have to stay large, and looking would be slow.
_MIN_SHARE = 0.05


class PatchError(MaskwatchError):
    """Something that is no patch."""


@dataclass(frozen=True, eq=False)
class Patch:
    """What is looked for in other pictures.

    Attributes:
        pixels: RGB ``(n, n, 3)`` uint8, 8 to 64 pixels a side.
        share: its side over the side of its picture, both as squares of equal area: 0.05 to 1.
    """

    pixels: Image
    share: float

    def __post_init__(self) -> None:
        """Refuse what cannot be looked for.

        Raises:
            PatchError: with what is wrong.
        """
        height, width = self.pixels.shape[:2]
        if height != width or not _MIN_SIDE <= width <= _MAX_SIDE:
            raise PatchError(
                f"A patch is a square of {_MIN_SIDE} to {_MAX_SIDE} pixels a side, "
                f"not {width} by {height}."
            )
        if not _MIN_SHARE <= self.share <= 1:
            raise PatchError(
                f"A patch has {_MIN_SHARE:.0%} to 100% of its picture's side, not {self.share:.0%}."
            )

    @classmethod
    def of_bytes(cls, data: bytes, share: float) -> "Patch":
        """Read what :meth:`to_bytes` wrote.

        Raises:
            PatchError: the bytes are no square of RGB pixels, or the share is out of range.
        """
        side = isqrt(len(data) // 3)
        if 3 * side * side != len(data):
            raise PatchError(f"{len(data)} bytes are no square of RGB pixels.")
        return cls(np.frombuffer(data, np.uint8).reshape(side, side, 3), share)

    def to_bytes(self) -> bytes:
        """The pixels, row by row: nothing that a reader would have to decode."""
        return self.pixels.tobytes()

    @property
    def digest(self) -> str:
        """SHA-256 of the pixels, hexadecimal: its name on a list."""
        return sha256(self.to_bytes()).hexdigest()


@dataclass(frozen=True, eq=False)
class Tile:
    """A part of a picture that stands under suspicion.

    Attributes:
        pixels: RGB ``(h, w, 3)`` uint8.
        share: its side over the side of its picture, as in :class:`Patch`.
    """

    pixels: Image
    share: float
