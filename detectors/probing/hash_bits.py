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
        return count_differing_bits(self.bits, other.bits)


def count_differing_bits(first: bytes, second: bytes) -> int:
    """Bits in which two hashes of the same length differ.

    >>> count_differing_bits(b"\x0f", b"\x01")
    3
    """
    return (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()
