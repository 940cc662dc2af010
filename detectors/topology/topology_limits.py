"""Where normal ends for the topology rules, and how that is learnt from clean pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

# Share of clean pictures that may lie beyond each limit.
BEYOND_RATE = 0.001
# A learnt limit lies between the default divided by this and the default times this: a folder with
# an attacked picture in it, or with one kind of clothing only, cannot switch a rule off or make it
# fire on everybody.
MAX_CHANGE = 2.0
# With fewer pictures of persons the defaults stay.
MIN_PICTURES = 30


@dataclass(frozen=True)
class TopologyLimits:
    """Where normal ends.

    The first three are learnt; the others say what is judged at all and stay as they are.

    Attributes:
        min_skin_share: skin pixels over a person's pixels.
        max_trousers_gap: rows between trousers and feet, in body heights.
        min_hair_share: a head without a face is looked for under hair of at least this share of
            the person.
        min_trousers_share: trousers smaller than this share of the person are not judged.
        border_share: trousers that end this close to the picture's lower edge, in body heights, are
            cut off by the picture and not judged.
        min_person_share: a person that is a smaller share of the picture is not judged: a parse of
            few pixels lacks parts that are there.
        min_sureness: nor is one of whose labels the parse is less sure, as the mean probability of
            the likeliest one: what it takes a chair or a wave for has no skin.
    """

    min_skin_share: float = 0.01
    max_trousers_gap: float = 0.06
    min_hair_share: float = 0.02
    min_trousers_share: float = 0.08
    border_share: float = 0.04
    min_person_share: float = 0.05
    min_sureness: float = 0.6

    def list_learnt(self) -> dict[str, float]:
        """The learnt ones by name."""
        return {name: value for name, value in asdict(self).items() if name in _NORMAL_QUANTILES}

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Self:
        """What :meth:`list_learnt` gave.

        Raises:
            ValueError: other names, or a limit out of its bounds.
        """
        if set(values) != set(_NORMAL_QUANTILES):
            raise ValueError(f"not the limits that are learnt: {sorted(values)}")
        for name, value in values.items():
            low, high = bounds(name)
            if not low <= value <= high:
                raise ValueError(f"{name} is not between {low} and {high}")
        return cls(**values)


# Skin is missed below its limit; a gap, and hair without a face, are odd from theirs on.
_NORMAL_QUANTILES = {
    "min_skin_share": BEYOND_RATE,
    "max_trousers_gap": 1 - BEYOND_RATE,
    "min_hair_share": 1 - BEYOND_RATE,
}
DEFAULTS = TopologyLimits()


def bounds(name: str) -> tuple[float, float]:
    """The least and the most that a learnt limit may be.

    >>> bounds("max_trousers_gap")
    (0.03, 0.12)
    """
    default = asdict(DEFAULTS)[name]
    return default / MAX_CHANGE, default * MAX_CHANGE


def learn_limits(extremes: Sequence[Mapping[str, float]]) -> TopologyLimits:
    """The limits that one clean picture in a thousand crosses, within their bounds.

    With fewer than a thousand pictures that is next to the most extreme of them.

    Args:
        extremes: of each picture with a person, how near it comes to each limit, by its name; see
            :func:`detectors.topology.topology_rules.topology_extremes`.
    """
    pictures = [each for each in extremes if each]
    if len(pictures) < MIN_PICTURES:
        return DEFAULTS
    return TopologyLimits(
        **{
            name: float(
                np.clip(np.quantile([each[name] for each in pictures], share), *bounds(name))
            )
            for name, share in _NORMAL_QUANTILES.items()
        }
    )
