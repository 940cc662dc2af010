"""Learns a baseline from what was measured on clean pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import numpy.typing as npt

from detectors.baseline.asking import bounded_limit
from detectors.baseline.attack_evidence import EVIDENCE, Evidence, Part
from detectors.baseline.baseline import TAIL, Baseline, BaselineError, Expectation, Line
from detectors.baseline.columns import (
    Columns,
    cascade_columns,
    expect_columns,
    measure_lines,
    scale_columns,
    score_columns,
)
from detectors.topology.topology_limits import learn_limits

MIN_PICTURES = 30
# Of the pictures: what the unit of an excess is exceeded by, and what is looked at again.
_LIMIT_SHARE = 0.01
_AGAIN_SHARE = 0.1
# On the logarithmic scale; without a floor a constant feature would make any change rare.
_MIN_LIMIT = 0.05
# Mean excess over the upper tenth, in widths of the middle half: the most of three clean sources.
MAX_TAIL = 0.5

Measurements = Mapping[str, float]


def learn(
    segmenter: str,
    fit: Sequence[Measurements],
    calibrate: Sequence[Measurements],
    extremes: Sequence[Measurements] = (),
    evidence: Sequence[Evidence] = EVIDENCE,
) -> Baseline:
    """Learn from clean pictures on which every look was taken.

    Args:
        segmenter: digest of the model.
        fit: features of the pictures that lines are fitted to.
        calibrate: features of others, whose scores tell how rare a score is.
        extremes: how near the pictures come to the limits of the topology rules (see
            :func:`detectors.topology.topology_rules.topology_extremes`); without them the
            defaults hold.
        evidence: what is judged; all that is known by default.

    Raises:
        BaselineError: too few pictures.
    """
    require_enough(calibrate)
    blank, columns = _draw_lines(segmenter, fit, evidence), Columns(calibrate)
    first = score_columns(blank, columns, first_look=True)
    again = float(np.quantile(first, 1 - _AGAIN_SHARE))
    baseline = replace(blank, look_again=again, limits=learn_limits(extremes))
    return replace(baseline, scores=_sort(cascade_columns(baseline, columns)))


@dataclass(frozen=True)
class Fold:
    """Clean pictures, and the others that lines are fitted to which score these."""

    fit: Sequence[Measurements]
    calibrate: Sequence[Measurements]


def learn_crosswise(
    segmenter: str,
    folds: Sequence[Fold],
    fit: Sequence[Measurements],
    extremes: Sequence[Measurements],
    odd_share: float,
) -> Baseline:
    """Learn with all pictures in the calibration, each scored by lines that did not see it.

    The tail of all scores wanders less than that of a part (cross-conformal prediction; Vovk,
    Annals of Mathematics and Artificial Intelligence 2015).

    Args:
        fit: features of the pictures that the lines in force are fitted to.
        odd_share: about how many clean pictures are looked at again: a tenth at most.

    Raises:
        BaselineError: too few pictures.
    """
    require_enough([picture for fold in folds for picture in fold.calibrate])
    parts = [(_draw_lines(segmenter, fold.fit), Columns(fold.calibrate)) for fold in folds]
    first = np.concatenate(
        [score_columns(lines, columns, first_look=True) for lines, columns in parts]
    )
    tenth = float(np.quantile(first, 1 - _AGAIN_SHARE))
    again = max(tenth, bounded_limit(first, odd_share))
    scores = np.concatenate(
        [cascade_columns(replace(lines, look_again=again), columns) for lines, columns in parts]
    )
    return replace(
        _draw_lines(segmenter, fit),
        look_again=again,
        odd_from=tenth,
        scores=_sort(bound_tail(scores)),
        limits=learn_limits(extremes),
    )


def _draw_lines(
    segmenter: str, fit: Sequence[Measurements], evidence: Sequence[Evidence] = EVIDENCE
) -> Baseline:
    """A baseline that scores, and knows of no score how rare it is."""
    columns = Columns(fit)
    return Baseline(segmenter, tuple(expectation_of(each, columns) for each in evidence), inf, ())


def bound_tail(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Scores whose upper tenth reaches no further, on average, than their middle half allows.

    The line of any rate comes from that tail, which a few hostile pictures stretch as they like;
    the middle half they can hardly move.
    """
    low, high, start = np.quantile(scores, (0.25, 0.75, 1 - TAIL))
    excesses = np.maximum(scores - start, 0.0)
    mean = float(excesses[excesses > 0].mean()) if excesses.any() else 0.0
    allowed = MAX_TAIL * float(high - low)
    if mean <= allowed:
        return scores
    return np.where(excesses > 0, start + excesses * allowed / mean, scores)


def _sort(scores: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(np.sort(scores).tolist())


def require_enough(calibrate: Sequence[Measurements]) -> None:
    """See that there are pictures enough to calibrate with.

    Raises:
        BaselineError: there are not.
    """
    if len(calibrate) < MIN_PICTURES:
        raise BaselineError(
            f"A baseline needs at least {MIN_PICTURES} clean pictures to calibrate with; "
            f"there are {len(calibrate)}."
        )


def expectation_of(evidence: Evidence, clean: Columns) -> Expectation:
    """Fit the lines of one piece of evidence.

    Raises:
        BaselineError: fewer than thirty pictures on which everything was measured.
    """
    lines = tuple(_line_of(part, clean) for part in evidence.parts)
    means = measure_lines(lines, clean)
    return Expectation(evidence, lines, _limit(means[~np.isnan(means)]))


def _line_of(part: Part, clean: Columns) -> Line:
    """Least squares; the limit is the residual that one picture in a hundred exceeds."""
    value, predictors = scale_columns(part, clean)
    rows = np.column_stack([value, predictors.T])
    rows = rows[~np.isnan(rows).any(axis=1)]
    if len(rows) < MIN_PICTURES:
        raise BaselineError(
            f"A baseline needs at least {MIN_PICTURES} clean pictures with "
            f"{' and '.join(part.factors)}; there are {len(rows)}."
        )
    design = np.column_stack([np.ones(len(rows)), rows[:, 1:]])
    line, *_ = np.linalg.lstsq(design, rows[:, 0], rcond=None)
    residuals = rows[:, 0] - expect_columns(design @ line)
    return Line(part, float(line[0]), tuple(float(each) for each in line[1:]), _limit(residuals))


def _limit(values: npt.NDArray[np.float64]) -> float:
    return max(_MIN_LIMIT, float(np.quantile(values, 1 - _LIMIT_SHARE)))
