"""A signature of a small picture patch that survives print, light, size and a little turning.

Two views of one patch: a perceptual hash of its low frequencies (DCT signs, as in pHash: Zauner,
2010), which knows where light and dark lie, and its spectrum in log-polar bins (Fourier–Mellin:
Casasent & Psaltis, 1976), which does not care where the patch lies in the window.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from detectors.errors import MaskwatchError
from detectors.parsing import Image

SIDE = 64
_HASH_SIDE = 8
_RINGS, _SECTORS = 6, 8
_LEVELS = 16
_PREFIX = "patch1"
_HASH_WEIGHT = 0.5

Floats = npt.NDArray[np.float32]


class SignatureError(MaskwatchError):
    """A text that is no signature of a patch."""


@dataclass(frozen=True)
class Signature:
    """What is kept of a patch; it cannot be turned back into the picture.

    Attributes:
        fingerprint: 63 signs of DCT coefficients, as an integer below 2^63.
        spectrum: energy of each log-polar bin, rings from low to high frequency, sectors within a
            ring; each a level from 0 to 15.
    """

    fingerprint: int
    spectrum: tuple[int, ...]

    @classmethod
    def of(cls, patch: Image) -> "Signature":
        """The signature of a patch ``(h, w, 3)`` uint8 of any size."""
        grey = _normalised(patch)
        return cls(_fingerprint(grey), _spectrum(grey))

    def distance(self, other: "Signature") -> float:
        """0 for equal signatures, about 0.5 for unrelated patches, at most 1."""
        bits = (self.fingerprint ^ other.fingerprint).bit_count() / (_HASH_SIDE**2 - 1)
        apart = np.abs(np.subtract(self.spectrum, other.spectrum)).mean() / (_LEVELS - 1)
        return _HASH_WEIGHT * bits + (1 - _HASH_WEIGHT) * float(min(1.0, 3 * apart))

    def to_text(self) -> str:
        """One word that a list of blocked values can hold.

        >>> Signature(1, (15,) * 48).to_text()
        'patch1:0000000000000001:ffffffffffffffffffffffffffffffffffffffffffffffff'
        """
        return f"{_PREFIX}:{self.fingerprint:016x}:{''.join(f'{v:x}' for v in self.spectrum)}"

    @classmethod
    def from_text(cls, text: str) -> "Signature":
        """Read what :meth:`to_text` wrote.

        Raises:
            SignatureError: the text is something else.
        """
        prefix, _, values = text.partition(":")
        bits, _, bins = values.partition(":")
        hexadecimal = set("0123456789abcdef")
        sizes_fit = (len(bits), len(bins)) == (16, _RINGS * _SECTORS)
        if prefix != _PREFIX or not sizes_fit or not set(bits + bins) <= hexadecimal:
            raise SignatureError(
                f"{text[:80]!r} is no signature of a patch: it begins with {_PREFIX}: and has "
                f"16 and {_RINGS * _SECTORS} hexadecimal digits."
            )
        fingerprint = int(bits, 16)
        if fingerprint >> (_HASH_SIDE**2 - 1):
            raise SignatureError(f"{text[:80]!r} is no signature of a patch: its hash is too long.")
        return cls(fingerprint, tuple(int(digit, 16) for digit in bins))


def _normalised(patch: Image) -> Floats:
    """Grey ``(64, 64)`` float32 with mean 0 and deviation 1; zeros for a flat patch."""
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((small - small.mean()) / max(float(small.std()), 1.0), dtype=np.float32)


def _fingerprint(grey: Floats) -> int:
    """Signs of the lowest frequencies, the mean left out, the first one highest."""
    lowest = cv2.dct(grey)[:_HASH_SIDE, :_HASH_SIDE].ravel()[1:]
    return int("".join("1" if value > 0 else "0" for value in lowest), 2)


def _spectrum(grey: Floats) -> tuple[int, ...]:
    """Mean log energy of each bin over the patch's strongest, as levels."""
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    energy = np.abs(np.fft.fftshift(np.fft.fft2(grey * window))) ** 2
    bins = _bins()
    total = np.bincount(bins.ravel(), energy.ravel(), _RINGS * _SECTORS + 1)[1:]
    mean = total / np.maximum(1, np.bincount(bins.ravel(), minlength=_RINGS * _SECTORS + 1)[1:])
    decades = np.log10(mean + 1e-6)
    # Four decades below the strongest bin nothing is left of a print.
    levels = (decades - decades.max() + 4) / 4 * (_LEVELS - 1)
    return tuple(int(level) for level in np.clip(np.rint(levels), 0, _LEVELS - 1))


@lru_cache(maxsize=1)
def _bins() -> npt.NDArray[np.intp]:
    """The bin of each frequency ``(64, 64)``, counted from 1; 0 for those in none."""
    rows, columns = np.indices((SIDE, SIDE)) - SIDE // 2
    radius = np.hypot(rows, columns)
    # Opposite frequencies of a real picture are equal: half a turn is all there is.
    angle = np.arctan2(rows, columns) % np.pi
    edges = np.geomspace(1, SIDE // 2, _RINGS + 1)
    ring = np.searchsorted(edges, radius, side="right") - 1
    sector = np.minimum(_SECTORS - 1, (angle / np.pi * _SECTORS).astype(np.intp))
    inside = (ring >= 0) & (ring < _RINGS)
    return np.asarray(np.where(inside, 1 + ring * _SECTORS + sector, 0), dtype=np.intp)
