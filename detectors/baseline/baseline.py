"""What clean pictures look like to one segmenter, and how far a request exceeds it.

Each piece of evidence is a number that attacks raise, with the features that explain it in clean
pictures: an unsure parse moves more under a harmless change. A line fitted on clean pictures says
how much is expected; the excess over it is measured in units of what one clean picture in a hundred
exceeds. The score is the largest excess, for a mean over all evidence hides an attack that shows in
one piece only. Scores of further clean pictures say how rare a score is (conformal calibration:
Bates et al., Annals of Statistics 2023).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, isnan, log, nan

import numpy as np
import numpy.typing as npt

from detectors.baseline.attack_evidence import Evidence, Part
from detectors.errors import MaskwatchError
from detectors.reductions import largest
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits

TAIL = 0.1
FLOOR = 1e-4


class BaselineError(MaskwatchError):
    """A baseline that cannot be learnt or read."""


@dataclass(frozen=True)
class Line:
    """How much of a part of evidence clean pictures show: a line over logarithms.

    Attributes:
        slopes: one for each feature of ``part.given``.
        limit: the residual that one clean picture in a hundred exceeds.
    """

    part: Part
    intercept: float
    slopes: tuple[float, ...]
    limit: float

    def excess(self, features: Mapping[str, float]) -> float:
        """Residual in units of the limit; NaN where something was not measured."""
        value, predictors = scales(self.part, features)
        slope = sum(slope * each for slope, each in zip(self.slopes, predictors, strict=True))
        return (value - expected(self.intercept + slope)) / self.limit


@dataclass(frozen=True)
class Expectation:
    """What clean pictures show of one piece of evidence.

    Attributes:
        lines: one for each part; their excesses are averaged.
        limit: the average that one clean picture in a hundred exceeds.
    """

    evidence: Evidence
    lines: tuple[Line, ...]
    limit: float

    def excess(self, features: Mapping[str, float]) -> float:
        """In units of the limit, so that 1 is rare; NaN where something was not measured."""
        mean = sum(line.excess(features) for line in self.lines) / len(self.lines)
        return self.evidence.weight * mean / self.limit


@dataclass(frozen=True)
class CraftedScore:
    """How far a request exceeds its baseline.

    Attributes:
        value: the largest excess; NaN if nothing was measured.
        excesses: by piece of evidence, largest first.
    """

    value: float
    excesses: Mapping[Evidence, float]

    def list_main_evidence(self, most: int = 3) -> dict[Evidence, float]:
        """The evidence that carries the score: what is at least half as far out, ``most`` of it."""
        evidence = {
            each: excess for each, excess in self.excesses.items() if excess >= self.value / 2
        }
        return dict(list(evidence.items())[:most])


@dataclass(frozen=True)
class Baseline:
    """What was learnt from clean pictures for one segmenter.

    Attributes:
        segmenter: digest of the model that it was learnt with.
        expectations: one for each piece of evidence.
        look_again: the score of a first look from which on a request is looked at again.
        scores: final scores of clean calibration pictures, ascending.
        limits: where normal ends for the topology rules.
        odd_from: the score of a first look that one clean picture in ten reaches; ``None``:
            ``look_again``.
        sure_below: the 95th percentile of the pixel entropies, in nats, below which a parse is
            surer than nearly all clean ones; ``None``: never.
    """

    segmenter: str
    expectations: tuple[Expectation, ...]
    look_again: float
    scores: tuple[float, ...]
    limits: TopologyLimits = DEFAULTS
    odd_from: float | None = None
    sure_below: float | None = None

    @property
    def tenth(self) -> float:
        """The score of a first look that one clean picture in ten reaches."""
        return self.look_again if self.odd_from is None else self.odd_from

    def cascade(self, features: Mapping[str, float]) -> CraftedScore:
        """The score that a request gets: by the first look, and by all if that one is odd."""
        first = self.score(features, first_look=True)
        return first if first.value < self.look_again else self.score(features)

    def score(self, features: Mapping[str, float], *, first_look: bool = False) -> CraftedScore:
        """Judge what was measured.

        Args:
            first_look: leave out what only later looks show, if it was measured.
        """
        expectations = [
            each for each in self.expectations if not (first_look and each.evidence.later)
        ]
        excesses = {each.evidence: each.excess(features) for each in expectations}
        measures = {each: excess for each, excess in excesses.items() if not isnan(excess)}
        ranking = dict(sorted(measures.items(), key=lambda item: -item[1]))
        return CraftedScore(largest(ranking.values()), ranking)

    def threshold(self, false_positive_rate: float) -> float:
        """The score that this share of clean pictures reaches.

        Above the upper tenth of the calibration pictures, the tail is taken to fall exponentially
        (peaks over a threshold; Pickands, Annals of Statistics 1975).
        """
        return tail_threshold(self.scores, false_positive_rate)

    def clean_share(self, score: float) -> float:
        """The share of clean pictures that reach a score: what :meth:`threshold` turns round."""
        return tail_share(self.scores, score)


def tail_threshold(scores: npt.ArrayLike, false_positive_rate: float) -> float:
    """The value that this share of scores reaches, with an exponential tail above a tenth."""
    values = np.asarray(scores, dtype=np.float64)
    start = float(np.quantile(values, 1 - TAIL))
    above = values[values > start] - start
    # Equal scores have no tail; NaN would accuse everybody.
    if false_positive_rate >= TAIL or not len(above):
        return float(np.quantile(values, 1 - false_positive_rate))
    return start + float(above.mean()) * log(TAIL / false_positive_rate)


def tail_share(scores: npt.ArrayLike, value: float) -> float:
    """The share of scores that reach a value, with an exponential tail above a tenth.

    >>> scores = [*range(100)]
    >>> round(tail_share(scores, tail_threshold(scores, 0.001)), 6)
    0.001
    """
    values = np.asarray(scores, dtype=np.float64)
    start = float(np.quantile(values, 1 - TAIL))
    above = values[values > start] - start
    if value <= start or not len(above):
        return float((values >= value).mean())
    return TAIL * exp(-(value - start) / float(above.mean()))


def scales(part: Part, features: Mapping[str, float]) -> tuple[float, list[float]]:
    """A part's value and what it is given, on the scale on which lines are drawn: logarithms."""
    value = 1.0
    for name in part.factors:
        value *= features.get(name, nan)
    return _on_scale(value), [_on_scale(features.get(name, nan)) for name in part.predictors]


def expected(prediction: float) -> float:
    """What a line predicts, no less than nothing at all: the scale ends there, lines go on.

    Of a picture without anybody everything is nothing, and any change would be endlessly much.

    >>> expected(-20.0) == log(FLOOR)
    True
    """
    return max(prediction, log(FLOOR))


def _on_scale(value: float) -> float:
    return value if isnan(value) else log(max(value, 0.0) + FLOOR)
