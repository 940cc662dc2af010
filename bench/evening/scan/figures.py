"""How many attack pictures a scan found, and how many honest ones it called outliers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.report import Figures
from bench.shares import Share

Flags = npt.NDArray[np.bool_]


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
