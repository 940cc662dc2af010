"""What an attacker who knows the detector has: the looks, the limits, and another key.

The looks of a deployment are drawn from a key that nobody outside has, so that the copy draws
others. Its limits are those of the shipped baseline; those that a deployment learns are its own.
"""

from dataclasses import dataclass, field
from functools import cache
from math import inf

from numpy.random import Generator

from bench.detection.attacks.base import Goal
from detectors.baseline.baseline import Baseline
from detectors.model_features import model_features
from detectors.parsing import Image
from detectors.picture.input_features import input_features
from inference.ensemble.baselines import SHIPPED, read_baseline
from inference.ensemble.ensemble import Ensemble
from inference.ensemble.first_look import PREFIX, FirstLook
from inference.segmenters.reference.training.attacks import Attackable

# What a service accuses at, unless it is set otherwise; the attacker wants to be well below.
_RATE, _MARGIN = 0.005, 0.8
_DRAWS = 2


@cache
def _read_shipped() -> Baseline:
    return read_baseline(SHIPPED)


@dataclass(frozen=True, order=True)
class Judgement:
    """The smaller, the better: the goal comes first.

    Attributes:
        missing: the share of the goal that is reached, below 0; -1 where that is enough.
        score: of the detector, if the goal is reached.
    """

    missing: float
    score: float = inf


@dataclass(frozen=True, eq=False)
class KnownDetector:
    """Says whether a picture would do, as far as one can without the key."""

    segmenter: Attackable
    goal: Goal
    clean: Image
    baseline: Baseline = field(default_factory=_read_shipped)

    @property
    def max_score(self) -> float:
        """What the attacker wants to stay below."""
        return _MARGIN * self.baseline.threshold(_RATE)

    def judge(self, picture: Image, random: Generator) -> "Judgement":
        """How near a picture comes to what is wanted."""
        share = self.goal.measure_share(self.segmenter, self.clean, picture)
        if share < self.goal.min_share:
            return Judgement(-share)
        return Judgement(-1.0, self.score(picture, random))

    def score(self, picture: Image, random: Generator) -> float:
        """The largest score of some draws."""
        parsing = self.segmenter.parse(picture)
        known = {**input_features(picture, 0), **model_features(parsing)}
        scores = []
        for _ in range(_DRAWS):
            look = FirstLook().look(self.segmenter, picture, parsing, random)
            features = known | look.features(PREFIX)
            if self.baseline.score(features, first_look=True).value >= self.baseline.look_again:
                ensemble = Ensemble(self.segmenter).look(picture, parsing, random)
                features |= ensemble.features()
            scores.append(self.baseline.cascade(features).value)
        return max(scores)
