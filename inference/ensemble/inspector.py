"""Looks at every request once more, at what looks odd several times, and says what is crafted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isnan
from time import perf_counter

import structlog
from numpy.random import Generator

from detectors.baseline.baseline import Baseline, TamperScore
from detectors.findings import Finding, Place
from detectors.looks.local_features import Contrast
from detectors.picture.colour_detail import colour_detail_place
from detectors.registry import FeatureVector
from detectors.rule_book import ADVERSARIAL_PICTURE
from inference.content import Content
from inference.ensemble.budget import Budget
from inference.ensemble.first_look import PREFIX, Glance
from inference.ensemble.guard import Doubt, EnsembleGuard
from inference.ensemble.policy import EnsembleMode, EnsemblePolicy
from inference.ensemble.seed import fresh_random
from inference.metrics import Metrics
from inference.segmenters.base import Segmenter

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Inspector:
    """A cascade: one look at every request, the ensemble where that look or a rule says so.

    Without a baseline for the segmenter there is nothing to compare a first look with; then only
    the ensemble's own policy decides.

    Attributes:
        baseline_of: the baseline of a segmenter's digest, or ``None``.
        false_positive_rate: share of clean requests that may be called crafted.
        new_random: makes the generator of a request.
    """

    ensemble: EnsembleGuard
    baseline_of: Callable[[str], Baseline | None]
    metrics: Metrics
    false_positive_rate: float = 0.005
    glance: Glance = field(default_factory=Glance)
    new_random: Callable[[], Generator] = fresh_random

    def inspect(
        self,
        segmenter: Segmenter,
        content: Content,
        findings: Sequence[Finding],
        forward_ms: float | None,
    ) -> Doubt:
        """Features, costs and findings; a fault is counted and logged, and the request goes on.

        Args:
            segmenter: the one that parsed the upload.
            content: what the upload holds.
            findings: all that fired on the request so far.
            forward_ms: time of its parse; ``None`` if that was remembered.
        """
        baseline = self.baseline_of(segmenter.digest)
        if baseline is None:
            return self.ensemble.measure(segmenter, content, findings, forward_ms)
        try:
            return self._inspected(baseline, segmenter, content, findings, forward_ms)
        except Exception:  # noqa: BLE001
            # Open on purpose: a look that fails must not cost the parse.
            self.metrics.faults.labels("inspect").inc()
            _log.exception("inspection failed")
            return Doubt()

    def _inspected(
        self,
        baseline: Baseline,
        segmenter: Segmenter,
        content: Content,
        findings: Sequence[Finding],
        forward_ms: float | None,
    ) -> Doubt:
        began, image = perf_counter(), content.screened.image
        contrast = self.glance.look(segmenter, image, content.parsing, self.new_random())
        seen = contrast.features(PREFIX)
        FeatureVector.of(seen)
        glance_ms = (perf_counter() - began) * 1000
        # Written this way round, so that what could not be judged counts as odd.
        is_odd = not baseline.score({**content.features, **seen}).value < baseline.look_again
        looked = self.ensemble.measure(segmenter, content, findings, forward_ms, is_odd=is_odd)
        further = looked.features
        score = baseline.score({**content.features, **seen, **further})
        features = {**seen, **further, **_cost(glance_ms, further), "tamper_score": score.value}
        if isnan(score.value) or score.value < baseline.threshold(self.false_positive_rate):
            return Doubt(features, looked.findings)
        return Doubt(features, (*looked.findings, _finding(score, contrast, content)))


def _cost(glance_ms: float, looked: Mapping[str, float]) -> dict[str, float]:
    """Of the first look, and of all looks."""
    return {
        "glance_ms": glance_ms,
        "ensemble_ms": glance_ms + looked.get("ensemble_ms", 0.0),
        "ensemble_passes": 1 + looked.get("ensemble_passes", 0.0),
    }


def _finding(score: TamperScore, contrast: Contrast, content: Content) -> Finding:
    """What leads the score, with the places where it shows."""
    leading = score.leading()
    places = [_place(evidence.shown_by, contrast, content) for evidence in leading]
    evidence = {"tamper_score": score.value}
    evidence |= {each.name: excess for each, excess in leading.items()}
    return Finding(
        ADVERSARIAL_PICTURE,
        {name: round(value, 3) for name, value in evidence.items()},
        tuple(dict.fromkeys(places)),
    )


def _place(feature: str, contrast: Contrast, content: Content) -> Place:
    image = content.screened.image
    if feature == "colour_detail_tile":
        return colour_detail_place(image)
    return contrast.place_of(feature, image.shape[0], image.shape[1])


def every_look(inspector: Inspector, new_random: Callable[[], Generator]) -> Inspector:
    """An inspector that takes every look at every request and accuses none: to learn from.

    Tiles are not searched: a baseline has no use for them.

    Args:
        new_random: makes the generator of each request.
    """
    ensemble = replace(
        inspector.ensemble,
        recipe=inspector.ensemble.recipe.without_tiles(),
        policy=EnsemblePolicy(EnsembleMode.SAMPLED, sample_share=1.0),
        budget=Budget(inf),
        max_ms=inf,
        new_random=new_random,
    )
    return replace(
        inspector,
        ensemble=ensemble,
        new_random=new_random,
        baseline_of=lambda digest: Baseline(digest, (), -inf, (0.0,)),
    )
