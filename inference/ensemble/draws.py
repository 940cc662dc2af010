"""Randomness that a client can neither know nor choose, and that an analyst can repeat."""

from dataclasses import dataclass
from hashlib import blake2b

from numpy.random import Generator, default_rng

_KEY_BYTES = 32
_SEED_BYTES = 16


@dataclass(frozen=True)
class Draws:
    """Draws that follow from a secret, the bytes of an upload and the source that parses it.

    The same bytes get the same looks, and so the same verdict: sending a file again is no second
    try. Without the secret nobody can tell what will be drawn for a file, and one bit more or less
    in it draws anew.

    Attributes:
        key: 32 bytes; see :meth:`keyed`.
    """

    key: bytes

    @classmethod
    def keyed(cls, secret: bytes) -> "Draws":
        """The draws of a deployment, from its secret."""
        return cls(blake2b(secret, digest_size=_KEY_BYTES, person=b"maskwatch-looks").digest())

    def generator(self, purpose: str, content_sha256: str, source: str) -> Generator:
        """A generator for one purpose, so that what one check draws moves nothing of another.

        Args:
            purpose: name of what draws.
            content_sha256: of the whole upload, in hex.
            source: digest of the model, or of what else parses.
        """
        text = ":".join((purpose, content_sha256, source))
        seed = blake2b(text.encode(), digest_size=_SEED_BYTES, key=self.key).digest()
        return default_rng(int.from_bytes(seed))
