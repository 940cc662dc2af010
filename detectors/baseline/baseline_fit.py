"""Learns a baseline from what was measured on clean pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import numpy.typing as npt

from detectors.baseline.asking import bounded_limit
from detectors.baseline.attack_evidence import EVIDENCE, Evidence, Part
from detectors.baseline.baseline import Baseline, BaselineError, Expectation, Line, expected, scales
from detectors.topology.topology_limits import learn_limits

MIN_PICTURES = 30
# Of the pictures: what the unit of an excess is exceeded by, and what is looked at again.
_LIMIT_SHARE = 0.01
_AGAIN_SHARE = 0.1
# On the logarithmic scale; without a floor a constant feature would make any change rare.
_MIN_LIMIT = 0.05

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
    blank = _draw_lines(segmenter, fit, evidence)
    again = float(np.quantile(_first_scores(blank, calibrate), 1 - _AGAIN_SHARE))
    baseline = replace(blank, look_again=again, limits=learn_limits(extremes))
    return replace(baseline, scores=tuple(sorted(_final_scores(baseline, calibrate))))


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
    parts = [(_draw_lines(segmenter, fold.fit), fold.calibrate) for fold in folds]
    first = [score for lines, pictures in parts for score in _first_scores(lines, pictures)]
    tenth = float(np.quantile(first, 1 - _AGAIN_SHARE))
    again = max(tenth, bounded_limit(first, odd_share))
    scores = [
        score
        for lines, pictures in parts
        for score in _final_scores(replace(lines, look_again=again), pictures)
    ]
    return replace(
        _draw_lines(segmenter, fit),
        look_again=again,
        odd_from=tenth,
        scores=tuple(sorted(scores)),
        limits=learn_limits(extremes),
    )


def _draw_lines(
    segmenter: str, fit: Sequence[Measurements], evidence: Sequence[Evidence] = EVIDENCE
) -> Baseline:
    """A baseline that scores, and knows of no score how rare it is."""
    return Baseline(segmenter, tuple(expectation_of(each, fit) for each in evidence), inf, ())


def _first_scores(baseline: Baseline, pictures: Sequence[Measurements]) -> list[float]:
    return [baseline.score(features, first_look=True).value for features in pictures]


def _final_scores(baseline: Baseline, pictures: Sequence[Measurements]) -> list[float]:
    return [baseline.cascade(features).value for features in pictures]


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


def expectation_of(evidence: Evidence, clean: Sequence[Measurements]) -> Expectation:
    """Fit the lines of one piece of evidence.

    Raises:
        BaselineError: fewer than thirty pictures on which everything was measured.
    """
    lines = tuple(_line_of(part, clean) for part in evidence.parts)
    means = np.array([[line.excess(each) for line in lines] for each in clean]).mean(axis=1)
    return Expectation(evidence, lines, _limit(means[~np.isnan(means)]))


def _line_of(part: Part, clean: Sequence[Measurements]) -> Line:
    """Least squares; the limit is the residual that one picture in a hundred exceeds."""
    rows = np.array(
        [(value, *predictors) for value, predictors in (scales(part, each) for each in clean)]
    )
    rows = rows.reshape(-1, 1 + len(part.predictors))
    rows = rows[~np.isnan(rows).any(axis=1)]
    if len(rows) < MIN_PICTURES:
        raise BaselineError(
            f"A baseline needs at least {MIN_PICTURES} clean pictures with "
            f"{' and '.join(part.factors)}; there are {len(rows)}."
        )
    design = np.column_stack([np.ones(len(rows)), rows[:, 1:]])
    line, *_ = np.linalg.lstsq(design, rows[:, 0], rcond=None)
    residuals = rows[:, 0] - [expected(each) for each in design @ line]
    return Line(part, float(line[0]), tuple(float(each) for each in line[1:]), _limit(residuals))


def _limit(values: npt.NDArray[np.float64]) -> float:
    return max(_MIN_LIMIT, float(np.quantile(values, 1 - _LIMIT_SHARE)))
