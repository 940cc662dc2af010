"""The bits of a perceptual hash, for whoever compares them and takes none."""

from dataclasses import dataclass

BITS = 256


@dataclass(frozen=True)
class PerceptualHash:
    """What a picture looks like.

    Attributes:
        bits: 32 bytes.
        quality: 0 for a picture without structure, whose bits mean nothing, to 100.
    """

    bits: bytes
    quality: int

    def distance(self, other: "PerceptualHash") -> int:
        """Bits that differ, 0 to 256: unrelated pictures are about 128 apart."""
        return (int.from_bytes(self.bits) ^ int.from_bytes(other.bits)).bit_count()
