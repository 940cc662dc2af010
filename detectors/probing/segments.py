"""The fine fingerprint: keyed hashes of quantised pixel segments.

After Li et al., Blacklight: Scalable Defense for Neural Networks against Query-Based Black-Box
Attacks, USENIX Security 2022. Two pictures that share an unchanged stretch share a hash, and nobody
without the key can tell which stretches count.
"""

from hashlib import blake2b

import numpy as np

from detectors.parsing import Image
from detectors.probing.cells import crops

SKETCH_SIZE = 16
_SEGMENT_BYTES = 48
_MAX_SEGMENTS = 1024
_LEVELS = 50
"""Grey levels that count as one."""

Sketch = tuple[int, ...]


def segment_sketch(image: Image, key: bytes) -> Sketch:
    """The smallest hashes of a picture's segments, ascending: a bottom-k sketch.

    Args:
        image: ``(H, W, 3)`` uint8.
        key: secret of the deployment, at most 64 bytes.

    Returns:
        At most ``SKETCH_SIZE`` different signed 64-bit integers.
    """
    values = (crops(image) // _LEVELS).reshape(-1)
    size = min(_SEGMENT_BYTES, values.size)
    segments = values[: values.size // size * size].reshape(-1, size)
    places = np.unique(np.linspace(0, len(segments) - 1, _MAX_SEGMENTS).round().astype(np.intp))
    # The place is hashed too: flat segments would be equal everywhere and in every picture.
    names = places.astype(">u4").view(np.uint8).reshape(-1, 4)
    data = np.hstack([names, segments[places]]).tobytes()
    length = 4 + size
    digests = b"".join(
        blake2b(data[start : start + length], digest_size=8, key=key).digest()
        for start in range(0, len(data), length)
    )
    return tuple(np.unique(np.frombuffer(digests, ">i8"))[:SKETCH_SIZE].tolist())


def shared_share(one: Sketch, other: Sketch) -> float:
    """Estimated share of the segments that two pictures share (Jaccard index of bottom-k sketches).

    >>> shared_share((1, 2, 3), (2, 3, 4))
    0.6666666666666666
    """
    smallest = sorted({*one, *other})[: max(len(one), len(other))]
    if not smallest:
        return 0.0
    return len({*smallest} & {*one} & {*other}) / len(smallest)
