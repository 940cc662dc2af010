"""The fine fingerprint: keyed hashes of quantised pixel segments.

After Li et al., Blacklight: Scalable Defense for Neural Networks against Query-Based Black-Box
Attacks, USENIX Security 2022. Two pictures that share an unchanged stretch share a hash, and nobody
without the key can tell which stretches count.
"""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from detectors.probing.cells import Crops

SKETCH_SIZE = 16
_SEGMENT_BYTES = 48
_MAX_SEGMENTS = 1024
_LEVELS = 50
"""Grey levels that count as one."""

Sketch = tuple[int, ...]


def segment_sketch(crops: Crops, key: bytes) -> Sketch:
    """The smallest hashes of a picture's segments, ascending: a bottom-k sketch.

    Args:
        crops: of the picture; see :func:`detectors.probing.cells.take_crops`.
        key: secret of the deployment, at most 64 bytes.

    Returns:
        At most ``SKETCH_SIZE`` different signed 64-bit integers.
    """
    values = crops.reshape(-1)
    size = min(_SEGMENT_BYTES, values.size)
    segments = values[: values.size // size * size].reshape(-1, size)
    places = _choose_places(len(segments))
    # The place is hashed too: flat segments would be equal everywhere and in every picture.
    names = places.astype(">u4").view(np.uint8).reshape(-1, 4)
    data = np.hstack([names, segments[places] // _LEVELS]).tobytes()
    digests = _hash_pieces(data, 4 + size, key)
    return tuple(np.unique(np.frombuffer(digests, ">i8"))[:SKETCH_SIZE].tolist())


# Most pictures are larger than the crops, so that one number serves nearly all of them.
@lru_cache(maxsize=4)
def _choose_places(segments: int) -> npt.NDArray[np.intp]:
    """Numbers of the segments that are hashed: all of them, or as many as count, evenly."""
    return np.unique(np.linspace(0, segments - 1, _MAX_SEGMENTS).round().astype(np.intp))


def _hash_pieces(data: bytes, length: int, key: bytes) -> bytes:
    """The keyed hashes of all pieces of a length, 8 bytes each."""
    keyed, digests = blake2b(digest_size=8, key=key), []
    for start in range(0, len(data), length):
        # To copy a hash that has the key already takes half the time of making one with it.
        piece = keyed.copy()
        piece.update(data[start : start + length])
        digests.append(piece.digest())
    return b"".join(digests)


def shared_share(one: Sketch, other: Sketch) -> float:
    """Estimated share of the segments that two pictures share (Jaccard index of bottom-k sketches).

    >>> shared_share((1, 2, 3), (2, 3, 4))
    0.6666666666666666
    """
    smallest = sorted({*one, *other})[: max(len(one), len(other))]
    if not smallest:
        return 0.0
    return len({*smallest} & {*one} & {*other}) / len(smallest)
