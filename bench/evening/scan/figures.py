"""How many attack pictures a scan found, and how many honest ones it called outliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from bench.report import Figures

_Z = 1.96
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """0 of nothing."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval of 95 per cent (Wilson, JASA 1927); of nothing, all there is."""
        if not self.whole:
            return 0.0, 1.0
        n, share = self.whole, self.value
        middle = share + _Z**2 / (2 * n)
        reach = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        low, high = (end / (1 + _Z**2 / n) for end in (middle - reach, middle + reach))
        # Rounding leaves a bit beyond the ends.
        return max(0.0, low), min(1.0, high)


def scan_figures(prefix: str, attacks: Sequence[str | None], outliers: Flags) -> Figures:
    """The figures of one scan; each key begins with the prefix.

    The false discoveries of one attack are those that an analyst sees who looks for it alone.

    Args:
        attacks: of every request of the evening; ``None``: honest.
        outliers: which of them were selected.
    """
    names = np.array([attack or "" for attack in attacks])
    is_attack = names != ""
    kinds = sorted({*names} - {""})
    wrong = int(outliers[~is_attack].sum())
    found = {name: int(outliers[names == name].sum()) for name in kinds}
    counts = {name: int((names == name).sum()) for name in kinds}
    tpr = Share(sum(found.values()), int(is_attack.sum()))
    fdr = Share(wrong, wrong + tpr.part)
    return {
        f"{prefix}_tpr": tpr.value,
        f"{prefix}_tpr_bounds": _name_bounds(tpr),
        f"{prefix}_fdr": fdr.value,
        f"{prefix}_fdr_bounds": _name_bounds(fdr),
        f"{prefix}_requests": len(names),
        f"{prefix}_outliers": fdr.whole,
        f"{prefix}_wrong": wrong,
        f"{prefix}_n_by_attack": counts,
        f"{prefix}_tpr_by_attack": {name: found[name] / counts[name] for name in kinds},
        f"{prefix}_fdr_by_attack": {
            name: Share(wrong, wrong + found[name]).value for name in kinds
        },
    }


def _name_bounds(share: Share) -> dict[str, float]:
    low, high = share.bounds
    return {"low": low, "high": high}
