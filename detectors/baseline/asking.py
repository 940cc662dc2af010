"""Which pictures of a source ask for every look: limits that few of its clean pictures exceed.

A picture asks if its first look is odd, if its parse is unsure, or if the face prior sees a face
and the parse has none. The last is counted, and the limits of the others share what is left. It
also asks if its parse is surer than nearly all: a person that a trigger made vanish leaves one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
import numpy.typing as npt

# With the sample of one in twenty that is taken anyway, one clean picture in ten is looked at.
ASK_SHARE = 0.05
# However many ask by their faces, so many of the others may.
_MIN_SHARE = 0.02
_UNSURE_PART = 0.25
# Beside those: a parse as sure as this share of the clean ones.
SURE_SHARE = 0.01
_FLOOR = 1e-4
# A limit lies at most so many times as far above the middle as the upper quarter begins: hostile
# pictures can move both by little, and the tail as they like.
MAX_WIDTHS = 4.0
# Towards what is sure it is twice as far: where nobody is, parses are sure by nature.
MAX_SURE_WIDTHS = 8.0

Measurements = Mapping[str, float]


@dataclass(frozen=True)
class AskShares:
    """Shares of the clean pictures that may ask: by their first look, and by an unsure parse."""

    odd: float
    unsure: float

    @classmethod
    def of(cls, pictures: Sequence[Measurements]) -> "AskShares":
        """What faces leave of :data:`ASK_SHARE`."""
        faces = sum(map(is_face_missing, pictures)) / max(1, len(pictures))
        rest = max(_MIN_SHARE, ASK_SHARE - faces)
        return cls((1 - _UNSURE_PART) * rest, _UNSURE_PART * rest)


def is_face_missing(features: Measurements) -> bool:
    """Whether the face prior sees a face, and the parse has none that its labels could name."""
    sees_face = features.get("faces_hidden", 0.0) >= 1
    return sees_face and isnan(features.get("confidence_face", nan))


def bounded_limit(values: npt.ArrayLike, share: float) -> float:
    """What this share of the values exceeds, as far as :data:`MAX_WIDTHS` allows.

    >>> bounded_limit(range(101), 0.05), bounded_limit([*range(80), *[10_000] * 20], 0.05)
    (95.0, 148.5)
    """
    middle, upper, limit = np.quantile(np.asarray(values), (0.5, 0.75, 1 - share))
    return float(min(limit, middle + MAX_WIDTHS * (upper - middle)))


def bounded_floor(values: npt.ArrayLike, share: float) -> float:
    """What this share of the values falls below, as far as :data:`MAX_SURE_WIDTHS` allows.

    The widths are those of logarithms: a scale that ends at nothing.

    >>> [round(bounded_floor([0] * n + [*range(n, 101)], 0.05), 1) for n in (1, 20)]
    [5.0, 0.2]
    """
    logs = np.log(np.maximum(np.asarray(values, dtype=np.float64), 0.0) + _FLOOR)
    limit, lower, middle = np.quantile(logs, (share, 0.25, 0.5))
    return float(np.exp(max(limit, middle - MAX_SURE_WIDTHS * (middle - lower))) - _FLOOR)
