"""Pictures that look like one: a perceptual hash with a radius, and many of them at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from detectors.probing.hash_bits import BITS, count_differing_bits

MAX_RADIUS = 31
"""Bits of 256: unrelated pictures are 128 apart, give or take 8, so that none is within it."""
_BYTES = BITS // 8
# Unrelated pictures differ in half of these already: few are left for the others.
_FIRST_WORDS = 2
_Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SimilarPicture:
    """All pictures whose perceptual hash differs from one in at most so many bits."""

    bits: bytes
    radius: int

    @classmethod
    def read(cls, value: str) -> "SimilarPicture":
        """Read what :meth:`__str__` wrote.

        Raises:
            ValueError: it is no hash of 64 hexadecimal digits, or the radius is none.
        """
        digits, _, radius = value.partition("/")
        bits = bytes.fromhex(digits)
        if len(bits) != _BYTES or not 0 <= int(radius) <= MAX_RADIUS:
            raise ValueError(value)
        return cls(bits, int(radius))

    def __str__(self) -> str:
        """As decisions write it: ``ab…/10``."""
        return f"{self.bits.hex()}/{self.radius}"

    def distance(self, other: "SimilarPicture") -> int:
        """Bits in which the two hashes differ."""
        return count_differing_bits(self.bits, other.bits)

    def covers(self, other: "SimilarPicture") -> bool:
        """Whether the picture in the middle of another one lies within this radius."""
        return self.distance(other) <= self.radius


@dataclass(frozen=True, eq=False)
class SimilarPictures:
    """Hashes with radius and end, held against the hash of a picture at once.

    Attributes:
        words: ``(n, 4)``, 64 bits each.
        radii: ``(n,)``.
        entries: the picture and the end of each row.
    """

    words: _Words
    radii: npt.NDArray[np.uint8]
    entries: tuple[tuple[SimilarPicture, datetime], ...]

    @classmethod
    def of(cls, entries: Iterable[tuple[SimilarPicture, datetime]]) -> "SimilarPictures":
        """Lay hashes side by side."""
        rows = tuple(entries)
        words = np.frombuffer(b"".join(each.bits for each, _ in rows), np.uint64).reshape(-1, 4)
        radii = np.array([each.radius for each, _ in rows], dtype=np.uint8)
        return cls(np.asfortranarray(words), radii, rows)

    def find(self, bits: bytes, now: datetime) -> SimilarPicture | None:
        """The nearest that covers a hash and has not ended; ``None`` if there is none."""
        if not self.entries:
            return None
        asked = np.frombuffer(bits, np.uint64)
        near = np.flatnonzero(self._distances(asked, slice(_FIRST_WORDS)) <= self.radii)
        middle = SimilarPicture(bits, 0)
        covering = [
            (entry.distance(middle), entry)
            for entry, end in (self.entries[index] for index in near)
            if end > now and entry.covers(middle)
        ]
        return min(covering, key=lambda each: each[0])[1] if covering else None

    def _distances(self, asked: _Words, words: slice) -> npt.NDArray[np.uint8]:
        """Bits in which some of the words differ; at most 128 of two words."""
        counts = np.bitwise_count(self.words[:, words] ^ asked[words])
        return np.asarray(counts.sum(axis=1, dtype=np.uint8))
