"""Looks at every request once more, after a harmless change of its pixels."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf

from detectors.baseline.baseline import Baseline
from inference.checks.base import Case, CheckResult, Needs
from inference.ensemble.draws import Draws
from inference.ensemble.first_look import PREFIX, FirstLook
from inference.stopwatch import Stopwatch


@dataclass(frozen=True)
class FirstLookCheck:
    """Holds the parse against one more look at the picture.

    Without a baseline for the segmenter there is nothing to compare a look with, and none is taken.

    Attributes:
        baseline_of: the baseline of a segmenter's digest, or ``None``.
        draws: what is drawn for an upload.
        is_on: whether it is taken at all.
    """

    baseline_of: Callable[[str], Baseline | None]
    draws: Draws
    first_look: FirstLook = field(default_factory=FirstLook)
    is_on: bool = True
    name = "first_look"
    # It takes time of the segmenter, and what it is compared with may change.
    needs = Needs.REQUEST

    def run(self, case: Case) -> CheckResult:
        """The features of the look with their places, and its cost."""
        if not self.is_on or self.baseline_of(case.segmenter.digest) is None:
            return CheckResult()
        watch, image = Stopwatch(), case.image
        random = self.draws.generator(self.name, case.upload.sha256, case.segmenter.digest)
        contrast = self.first_look.look(case.segmenter, image, case.parsing, random)
        features = contrast.features(PREFIX)
        height, width = image.shape[:2]
        places = {name: partial(contrast.place_of, name, height, width) for name in features}
        return CheckResult({**features, **_costs(watch.total())}, places=places)

    def for_learning(self) -> "FirstLookCheck":
        """The same for segmenters that have no baseline yet."""
        blank = Baseline("", (), -inf, (0.0,))
        return replace(self, baseline_of=lambda _: blank, is_on=True)


def _costs(milliseconds: float) -> dict[str, float]:
    """Of this look, which is the first of all further looks."""
    return {"glance_ms": milliseconds, "ensemble_ms": milliseconds, "ensemble_passes": 1.0}
