"""Windows of traffic, and how the shares of a feature's values differ between two of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 10
_FLOOR = 1e-4

Values = npt.NDArray[np.float64]
Bins = npt.NDArray[np.intp]
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Window:
    """Requests of a stretch of time.

    Attributes:
        rows: ``(n, features)`` float64; NaN where not measured.
        networks: who sent each row's request.
        families: which pictures are alike.
    """

    rows: Values
    networks: tuple[str, ...]
    families: tuple[str, ...]


def cut_bins(reference: Values) -> Values:
    """The inner edges of at most ten bins that hold equally many reference values ``(n,)``.

    Fewer where values repeat; none if nothing was measured.
    """
    measured = reference[~np.isnan(reference)]
    if not measured.size:
        return np.empty(0)
    return np.unique(np.quantile(measured, np.linspace(0, 1, BINS + 1)[1:-1]))


def assign_bins(values: Values, edges: Values) -> Bins:
    """The bin of each value ``(n,)``; values that were not measured have one of their own."""
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values))


def count_shares(bins: Bins, number: int) -> Shares:
    """Share of the values in each of ``number`` bins, none of them quite zero."""
    shares = np.maximum(np.bincount(bins, minlength=number) / max(1, bins.size), _FLOOR)
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def stability_index(reference: Shares, now: Shares) -> float:
    """Population stability index: 0 where nothing moved; 0.1 is little, 0.25 is much.

    Symmetric Kullback–Leibler divergence over bins (Siddiqi, Credit Risk Scorecards, 2006).
    """
    return float(((now - reference) * np.log(now / reference)).sum())


def chance_index(reference: int, now: int) -> float:
    """The index that chance alone gives, of so many independent senders in either window.

    (bins − 1)(1/n + 1/m): Yurdakul, Statistical Properties of Population Stability Index, 2018.
    """
    return (BINS - 1) * (1 / reference + 1 / now)


def average_by_group(values: Values, groups: Sequence[str]) -> Values:
    """One value a group: the mean of what was measured; groups without any are left out."""
    measured = ~np.isnan(values)
    if not measured.any():
        return np.empty(0)
    _, places = np.unique(np.asarray(groups)[measured], return_inverse=True)
    return np.asarray(np.bincount(places, values[measured]) / np.bincount(places))
