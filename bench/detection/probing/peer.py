"""The peer: pixel-segment hashes alone, as Blacklight compares them."""

import numpy as np
import numpy.typing as npt

from detectors.parsing import Image

_LEVELS, _SEGMENT, _HASHES = 50, 50, 50
_THRESHOLD = 25
_Hashes = npt.NDArray[np.uint64]


class Blacklight:
    """Calls a picture a query if it shares more than half of its hashes with an earlier one.

    After Li et al., USENIX Security 2022, with their settings for large pictures: 50 grey levels
    count as one, segments of 50 values, 50 hashes, threshold 25. Here segments do not overlap, and
    a keyed sum takes the place of SHA-256: it is faster, and as hard to collide with by chance.
    """

    def __init__(self, seed: int) -> None:
        weights = np.random.default_rng(seed).integers(1, 2**63, size=_SEGMENT, dtype=np.uint64)
        self._weights = weights | np.uint64(1)
        self._memory: list[_Hashes] = []

    def see(self, image: Image) -> bool:
        """Whether a picture looks like an earlier one; it is remembered."""
        mine = self._hashes(image)
        is_match = any(
            np.intersect1d(mine, other, assume_unique=True).size > _THRESHOLD
            for other in self._memory
        )
        self._memory.append(mine)
        return is_match

    def _hashes(self, image: Image) -> _Hashes:
        values = (image // _LEVELS).ravel()
        segments = values[: values.size // _SEGMENT * _SEGMENT].reshape(-1, _SEGMENT)
        sums = (segments.astype(np.uint64) * self._weights).sum(axis=1, dtype=np.uint64)
        hashes: _Hashes = np.unique(sums)[-_HASHES:]
        return hashes
