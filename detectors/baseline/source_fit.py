"""Learns the baseline of a source from its sample, some of which may be hostile."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import isnan

import numpy as np
import numpy.typing as npt

from detectors.baseline.asking import SURE_SHARE, AskShares, bounded_floor, bounded_limit
from detectors.baseline.attack_evidence import EVIDENCE
from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.baseline_fit import (
    Fold,
    expectation_of,
    learn_crosswise,
    require_enough,
)
from detectors.baseline.columns import Columns, measure_excesses
from detectors.baseline.networks import network_of_client
from detectors.baseline.sample import SampleRow

_FOLDS = 4
# Of the pictures that lines are fitted to, the most extreme are left out; what is left out here
# is not missing in the calibration, so that the stated false-alarm rate holds.
TRIM_SHARE = 0.05
# A network most of whose pictures are among this share of the most extreme ones is left out.
STRANGE_SHARE = 0.2
_STRANGE_PART = 0.6
_MIN_STRANGE_PICTURES = 2
# A picture so many times as far above the middle as the upper quarter begins is left out, but no
# more than this share of all: what is so common is the traffic.
_FAR = 10.0
MAX_FAR_SHARE = 0.1
_MIN_WIDTH = 1e-3
# What is far is told by lines through so many of the pictures, the nearest ones, chosen so often.
_CORE_SHARE = 0.6
_CORE_STEPS = 3
# More networks than this share are no strangers: they are the traffic.
MAX_STRANGE_NETWORKS = 0.25


@dataclass(frozen=True)
class SourceFit:
    """What was learnt of a source.

    Attributes:
        rows: pictures that were learnt from.
        clients: who sent them.
        left_out: pictures that lie apart, or of networks that send hardly anything but extremes.
        max_entropy: the foreground entropy above which a parse is looked at again.
    """

    baseline: Baseline
    rows: int
    clients: int
    left_out: int
    max_entropy: float | None


def learn_source(digest: str, rows: Sequence[SampleRow]) -> SourceFit:
    """Learn from the sample of a source.

    The pictures are split into parts, all of one client in the same. Each part is scored by lines
    that were fitted to the others, so that no client decides about its own pictures, and all
    pictures tell how rare a score is.

    Raises:
        BaselineError: too few pictures, or too few on which everything was measured.
    """
    kept = _leave_out_far(_leave_out_strangers(rows))
    shares = AskShares.of(_features_of(kept))
    baseline = learn_crosswise(
        digest,
        _fold_by_client(kept),
        _features_of(_trim(kept)),
        [row.extremes for row in kept],
        shares.odd,
    )
    return SourceFit(
        replace(baseline, sure_below=sure_entropy(kept)),
        len(kept),
        len({row.client for row in kept}),
        len(rows) - len(kept),
        unsure_entropy(kept, shares.unsure),
    )


def unsure_entropy(rows: Sequence[SampleRow], share: float) -> float | None:
    """The foreground entropy that about this share exceeds; ``None`` without any."""
    measured = _read(rows, "entropy_foreground")
    return bounded_limit(measured, share) if measured else None


def sure_entropy(rows: Sequence[SampleRow]) -> float | None:
    """The 95th percentile of pixel entropies that few fall below; ``None`` without any."""
    measured = _read(rows, "entropy_p95")
    return bounded_floor(measured, SURE_SHARE) if measured else None


def measure_distances(rows: Sequence[SampleRow], core_steps: int = 0) -> npt.NDArray[np.float64]:
    """How far each row lies above the middle, in its most extreme piece of evidence, ``(n,)``.

    In units of the way from the middle to the upper quarter, which a fifth of hostile rows cannot
    stretch by much, as they do with the tail. What cannot be measured is not extreme.

    Args:
        core_steps: how often lines are drawn anew through the nearest rows alone, as long as there
            are enough, so that hostile rows do not bend what they are held against (concentration
            steps; Rousseeuw and Van Driessen, Technometrics 1999).

    Raises:
        BaselineError: too few rows.
    """
    features = _features_of(rows)
    require_enough(features)
    columns = Columns(features)
    distances = _measure_from(columns, columns)
    for _ in range(core_steps):
        line = np.quantile(distances, _CORE_SHARE, method="higher")
        core = Columns(
            [each for each, far in zip(features, distances > line, strict=True) if not far]
        )
        try:
            distances = _measure_from(core, columns)
        except BaselineError:
            break
    return distances


def _measure_from(core: Columns, columns: Columns) -> npt.NDArray[np.float64]:
    """The distances of all rows, by the lines and widths of a core of them.

    Raises:
        BaselineError: too few rows in the core.
    """
    rough = [expectation_of(each, core) for each in EVIDENCE]
    within, excesses = (
        np.array([measure_excesses(each, rows) for each in rough]) for rows in (core, columns)
    )
    measured = ~np.isnan(within).all(axis=1)
    middle, upper = np.nanquantile(within[measured], (0.5, 0.75), axis=1, keepdims=True)
    # Equal rows have no width; a floor keeps noise of rounding from looking far.
    distances = (excesses[measured] - middle) / np.maximum(upper - middle, _MIN_WIDTH)
    result: npt.NDArray[np.float64] = np.nan_to_num(distances, nan=-np.inf).max(axis=0)
    return result


def _leave_out_strangers(rows: Sequence[SampleRow]) -> list[SampleRow]:
    scores = measure_distances(rows, _CORE_STEPS)
    line = float(np.quantile(scores, 1 - STRANGE_SHARE, method="higher"))
    extremes: defaultdict[str, list[bool]] = defaultdict(list)
    for row, score in zip(rows, scores, strict=True):
        extremes[network_of_client(row.client)].append(score >= line)
    strange = _choose_strangers(extremes)
    return [row for row in rows if network_of_client(row.client) not in strange]


def _leave_out_far(rows: Sequence[SampleRow]) -> list[SampleRow]:
    """Without single pictures that lie apart from all others, as those of many attackers do."""
    scores = measure_distances(rows, _CORE_STEPS)
    line = max(_FAR, float(np.quantile(scores, 1 - MAX_FAR_SHARE, method="higher")))
    return [row for row, score in zip(rows, scores, strict=True) if score <= line]


def _choose_strangers(extremes: Mapping[str, Sequence[bool]]) -> set[str]:
    """The networks with the largest shares of extremes, up to a part of all networks."""
    shares = {
        network: sum(flags) / len(flags)
        for network, flags in extremes.items()
        if len(flags) >= _MIN_STRANGE_PICTURES
    }
    strange = [network for network, share in shares.items() if share >= _STRANGE_PART]
    strange.sort(key=lambda network: (-shares[network], -len(extremes[network]), network))
    return set(strange[: int(MAX_STRANGE_NETWORKS * len(extremes))])


def _fold_by_client(rows: Sequence[SampleRow]) -> list[Fold]:
    """Parts of about the same size, each with the others, which are trimmed."""
    parts = _split_by_client(rows)
    return [
        Fold(
            _features_of(_trim([row for other in parts if other is not part for row in other])),
            _features_of(part),
        )
        for part in parts
    ]


def _split_by_client(rows: Sequence[SampleRow]) -> list[list[SampleRow]]:
    """All pictures of one client in one part; single pictures are split, if clients are few."""
    by_client: defaultdict[str, list[SampleRow]] = defaultdict(list)
    for row in rows:
        by_client[row.client].append(row)
    if max(map(len, by_client.values())) > len(rows) / _FOLDS:
        return [list(rows[place::_FOLDS]) for place in range(_FOLDS)]
    parts: list[list[SampleRow]] = [[] for _ in range(_FOLDS)]
    for client in sorted(by_client, key=_hash):
        min(parts, key=len).extend(by_client[client])
    return parts


def _read(rows: Sequence[SampleRow], name: str) -> list[float]:
    """A feature of all rows on which it was measured."""
    values = (row.features.get(name, np.nan) for row in rows)
    return [value for value in values if not isnan(value)]


def _features_of(rows: Sequence[SampleRow]) -> list[Mapping[str, float]]:
    return [row.features for row in rows]


def _hash(client: str) -> bytes:
    return sha256(client.encode()).digest()


def _trim(rows: Sequence[SampleRow]) -> list[SampleRow]:
    scores = measure_distances(rows)
    line = float(np.quantile(scores, 1 - TRIM_SHARE, method="higher"))
    return [row for row, score in zip(rows, scores, strict=True) if score <= line]
