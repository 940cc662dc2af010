"""A picture's fingerprint: all that is remembered of it to recognise its near-duplicates."""

from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct

import numpy as np

from detectors.parsing import Image, LabelMap
from detectors.probing.appearance import Appearance, Weights, appearance, secret_weights
from detectors.probing.cells import take_crops
from detectors.probing.hash_bits import BITS, PerceptualHash
from detectors.probing.outline import SIDE, Outline, outline
from detectors.probing.perceptual import hash_grey, take_grey
from detectors.probing.segments import SKETCH_SIZE, Sketch, segment_sketch

MIN_QUALITY = 20
"""Below it the bits of a perceptual hash are chance."""

_VERSION = 1
_HEAD = Struct("<BBII32s")
_BANDS, _BAND_BITS = 10, 25
_FINE_KEYS = 6


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """One picture and its parse.

    Attributes:
        sketch: the fine fingerprint.
        coarse: the perceptual hash.
    """

    width: int
    height: int
    sketch: Sketch
    coarse: PerceptualHash
    appearance: Appearance
    outline: Outline

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    def index_keys(self) -> tuple[int, ...]:
        """Signed 64-bit integers; near-duplicates have at least one in common, as a rule.

        The smallest hashes of the sketch, and ten bands of 25 bits of the perceptual hash: hashes
        that are 10 bits apart share a band in 99 of 100 cases, at 16 bits in 89.
        """
        return tuple(sorted({*self.sketch[:_FINE_KEYS], *self._bands()}))

    def to_bytes(self) -> bytes:
        """About 1.2 kB."""
        head = _HEAD.pack(_VERSION, self.coarse.quality, self.width, self.height, self.coarse.bits)
        sketch = np.zeros(SKETCH_SIZE + 1, dtype="<i8")
        sketch[0] = len(self.sketch)
        sketch[1 : len(self.sketch) + 1] = self.sketch
        parts = (head, sketch.tobytes(), self.outline.tobytes(), self.appearance.to_bytes())
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Fingerprint":
        """Read back what :meth:`to_bytes` wrote.

        Raises:
            ValueError: it is of another version.
        """
        if not data or data[0] != _VERSION:
            raise ValueError("The fingerprint is of another version.")
        _, quality, width, height, bits = _HEAD.unpack_from(data)
        at = _HEAD.size
        sketch = np.frombuffer(data, "<i8", SKETCH_SIZE + 1, at)
        at += sketch.nbytes
        shape = np.frombuffer(data, np.uint8, SIDE * SIDE, at).reshape(SIDE, SIDE)
        at += shape.nbytes
        return cls(
            width,
            height,
            tuple(sketch[1 : sketch[0] + 1].tolist()),
            PerceptualHash(bits, quality),
            Appearance.from_bytes(data[at:]),
            shape,
        )

    def _bands(self) -> tuple[int, ...]:
        if self.coarse.quality < MIN_QUALITY:
            return ()
        bits = int.from_bytes(self.coarse.bits) >> (BITS - _BANDS * _BAND_BITS)
        mask = (1 << _BAND_BITS) - 1
        bands = [(bits >> (_BAND_BITS * band)) & mask for band in range(_BANDS)]
        return tuple(_key(b"%d:%d" % (band, value)) for band, value in enumerate(bands))


class Fingerprinter:
    """Takes fingerprints with the secret of a deployment; only those of one secret compare."""

    def __init__(self, salt: bytes) -> None:
        self._key = blake2b(salt, digest_size=32, person=b"maskwatch-trace").digest()
        self._weights: Weights = secret_weights(self._key)

    def of(self, image: Image, label_map: LabelMap) -> Fingerprint:
        """The fingerprint of a picture ``(H, W, 3)`` uint8 with its label map ``(H, W)`` uint8."""
        (height, width), crops, grey = image.shape[:2], take_crops(image), take_grey(image)
        return Fingerprint(
            width,
            height,
            segment_sketch(crops, self._key),
            hash_grey(grey),
            appearance(grey, crops, self._weights),
            outline(label_map),
        )


def _key(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), signed=True)
