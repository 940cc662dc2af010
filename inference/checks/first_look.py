"""Looks at every request once more, after a harmless change of its pixels."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from detectors.baseline.phases import SourceState
from inference.checks.base import Case, CheckResult, Needs
from inference.ensemble.draws import Draws
from inference.ensemble.first_look import PREFIX, FirstLook
from inference.machine.stopwatch import Stopwatch


@dataclass(frozen=True)
class FirstLookCheck:
    """Holds the parse against one more look at the picture.

    Without a baseline for the source there is nothing to compare a look with: none is taken then,
    but of the sample, from which a baseline is learnt.

    Attributes:
        state_of: what is known of the source of a digest.
        is_sampled: whether a case belongs to the sample.
        draws: what is drawn for an upload.
        is_on: whether it is taken at all.
    """

    state_of: Callable[[str], SourceState]
    is_sampled: Callable[[Case], bool]
    draws: Draws
    first_look: FirstLook = field(default_factory=FirstLook)
    is_on: bool = True
    name = "first_look"
    # It takes time of the segmenter, and what it is compared with may change.
    needs = Needs.REQUEST

    def run(self, case: Case) -> CheckResult:
        """The features of the look with their places, and its cost."""
        if not self.is_on or not self._is_needed(case):
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
        return replace(self, is_sampled=lambda _: True, is_on=True)

    def _is_needed(self, case: Case) -> bool:
        has_baseline = self.state_of(case.segmenter.digest).baseline is not None
        return has_baseline or self.is_sampled(case)


def _costs(milliseconds: float) -> dict[str, float]:
    """Of this look, which is the first of all further looks."""
    return {"glance_ms": milliseconds, "ensemble_ms": milliseconds, "ensemble_passes": 1.0}
