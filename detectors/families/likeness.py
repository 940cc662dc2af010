"""Which members sent the same picture, and in which direction an outlier lies."""

from collections.abc import Mapping, Sequence
from math import log1p

import numpy as np
import numpy.typing as npt

from detectors.families.components import Components
from detectors.families.members import Member

_MAX_BITS = 10
"""Hashes that are further apart are of other pictures; unrelated ones are about 128 apart."""
_BLOCK = 128
_MAX_FEATURES = 2
_MIN_LENGTH = 0.5
Words = npt.NDArray[np.uint64]
Labels = npt.NDArray[np.intp]


def same_pictures(members: Sequence[Member]) -> list[list[Member]]:
    """Members by picture: the same bytes, or looks that are at most ten bits apart, in a chain."""
    pictures = Components[bytes | str]()
    sent: dict[bytes | str, list[Member]] = {}
    for member in members:
        names = [name for name in (member.look, member.content) if name is not None]
        if names:
            pictures.join(names)
            sent.setdefault(names[0], []).append(member)
    looks = [name for name in sent if isinstance(name, bytes)]
    for look, first in zip(looks, _chain_looks(looks).tolist(), strict=True):
        pictures.join((looks[first], look))
    return [[each for name in names for each in sent.get(name, ())] for names in pictures.sets()]


def _chain_looks(looks: Sequence[bytes]) -> Labels:
    """The place of the first look of the chain that each belongs to, ``(n,)``.

    A search sends thousands that look alike, and these make millions of pairs.
    """
    words: Words = np.frombuffer(b"".join(looks), np.uint64).reshape(-1, 4)
    chains = np.arange(len(words))
    for first in range(0, len(words), _BLOCK):
        block = words[first : first + _BLOCK, np.newaxis] ^ words[first:]
        bits = np.bitwise_count(block).sum(axis=2, dtype=np.uint16)
        for near in bits <= _MAX_BITS:
            joined = chains[first:][near]
            if (joined != joined[0]).any():
                chains[np.isin(chains, joined)] = joined.min()
    return chains


def direction_of(contributions: Mapping[str, float]) -> tuple[str, ...]:
    """The one or two features that lead away from normal, with the side; empty without any.

    A second feature counts if it lies half as far out as the first, in logarithms.

    >>> direction_of({"entropy_mean": -9.0, "skin_share": 5.0, "persons": 4.0})
    ('-entropy_mean', '+skin_share')
    >>> direction_of({"jpeg_quality": 40.0, "persons": 1.0})
    ('+jpeg_quality',)
    """
    lengths = {name: log1p(abs(value)) for name, value in contributions.items() if value}
    order = sorted(lengths, key=lambda name: (-lengths[name], name))[:_MAX_FEATURES]
    leading = [name for name in order if lengths[name] >= _MIN_LENGTH * lengths[order[0]]]
    signed = (("-" if contributions[name] < 0 else "+") + name for name in leading)
    return tuple(sorted(signed, key=lambda name: name[1:]))
