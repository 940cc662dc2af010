"""A signature: what a perturbation leaves in every picture that it is laid over."""

from dataclasses import dataclass
from hashlib import sha256
from math import prod

import cv2
import numpy as np
import numpy.typing as npt

from detectors.errors import MaskwatchError
from detectors.parsing import Image
from detectors.perturbations.residuals import CHANNELS, GRID, Residual

# What is stronger than so many deviations is cut.
_MAX_DEVIATIONS = 4.0
_MAX_STEP = 127
_SHAPE = (CHANNELS, GRID, GRID)
_GREY = 128

Cells = npt.NDArray[np.int8]


class SignatureError(MaskwatchError):
    """Something that is no signature."""


@dataclass(frozen=True, eq=False)
class Signature:
    """A noise that is looked for.

    Attributes:
        cells: ``(CHANNELS, GRID, GRID)`` int8, of any scale.
    """

    cells: Cells

    def __post_init__(self) -> None:
        """Refuse what cannot be looked for.

        Raises:
            SignatureError: with what is wrong.
        """
        if self.cells.shape != _SHAPE:
            raise SignatureError(
                f"A signature has cells of the shape {_SHAPE}, not {self.cells.shape}."
            )
        if not self.cells.any():
            raise SignatureError("A signature without any noise would be found everywhere.")

    @classmethod
    def of_residual(cls, residual: Residual) -> "Signature":
        """A residual in whole steps.

        Raises:
            SignatureError: it is flat.
        """
        step = _MAX_DEVIATIONS * float(residual.std()) / _MAX_STEP
        if not step:
            raise SignatureError("A flat residual is no signature.")
        cells = np.clip(np.rint(residual / step), -_MAX_STEP, _MAX_STEP)
        return cls(cells.astype(np.int8))

    @classmethod
    def of_bytes(cls, data: bytes) -> "Signature":
        """Read what :meth:`to_bytes` wrote.

        Raises:
            SignatureError: the bytes are no square grid of cells.
        """
        if len(data) != prod(_SHAPE):
            raise SignatureError(f"{len(data)} bytes are no signature: it has {prod(_SHAPE)}.")
        return cls(np.frombuffer(data, np.int8).reshape(_SHAPE))

    def to_bytes(self) -> bytes:
        """The cells, row by row: nothing that a reader would have to decode."""
        return self.cells.tobytes()

    def draw(self) -> Image:
        """The colours of the noise around grey, ``(GRID, GRID, 3)``."""
        grey = np.full((1, GRID, GRID), _GREY, np.int16)
        planes = np.concatenate([grey, self.cells.astype(np.int16) + _GREY])
        picture = np.ascontiguousarray(planes.transpose(1, 2, 0).astype(np.uint8))
        return cv2.cvtColor(picture, cv2.COLOR_YCrCb2RGB).astype(np.uint8)

    @property
    def digest(self) -> str:
        """SHA-256 of the cells, hexadecimal: its name on a list."""
        return sha256(self.to_bytes()).hexdigest()
