"""Runs an ensemble on a request if the policy asks for one and the budget allows it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

import structlog
from numpy.random import Generator

from detectors.findings import Finding
from detectors.registry import FeatureVector
from inference.content import Content
from inference.ensemble.budget import Budget
from inference.ensemble.ensemble import Ensemble
from inference.ensemble.policy import Depth, EnsemblePolicy
from inference.ensemble.recipe import Recipe
from inference.ensemble.seed import fresh_random
from inference.metrics import Metrics
from inference.segmenters.base import Segmenter

_log = structlog.get_logger(__name__)

NOT_CHOSEN = "not_chosen"
OVER_BUDGET = "over_budget"
TOO_SLOW = "too_slow"
FAULT = "fault"
WITHOUT_TILES = "without_tiles"


@dataclass(frozen=True)
class Doubt:
    """What an ensemble found out about a request; empty if none was run."""

    features: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass
class EnsembleGuard:
    """Runs ensembles without ever breaking or holding up the service.

    Attributes:
        recipe: the full recipe; its members alone are the lesser depth.
        max_ms: longest time that an ensemble may be expected to take; one that would take longer
            is cut or not run.
        new_random: makes the generator of a request.
        clock: monotonic seconds.
    """

    recipe: Recipe
    policy: EnsemblePolicy
    budget: Budget
    metrics: Metrics
    max_ms: float = 10_000.0
    new_random: Callable[[], Generator] = fresh_random
    clock: Callable[[], float] = monotonic
    _forward_ms: float = field(default=0.0, init=False)

    def measure(
        self,
        segmenter: Segmenter,
        content: Content,
        findings: Sequence[Finding],
        forward_ms: float | None,
        *,
        is_odd: bool = False,
    ) -> Doubt:
        """Features with costs, and findings, of a request's ensemble; empty if none was run.

        A fault is counted and logged, and the request goes on without these features.

        Args:
            segmenter: the one that parsed the upload.
            content: what the upload holds.
            findings: all that fired on the request so far.
            forward_ms: time of its parse; ``None`` if that was remembered.
            is_odd: whether a first look found it odd.
        """
        # Only an estimate is made of it, so that threads may overwrite each other's.
        self._forward_ms = forward_ms or self._forward_ms
        try:
            return self._measured(segmenter, content, findings, is_odd)
        except Exception:  # noqa: BLE001
            # Open on purpose: an ensemble that fails must not cost the parse.
            self.metrics.faults.labels("ensemble").inc()
            self.metrics.ensembles.labels(FAULT).inc()
            _log.exception("ensemble failed")
            return Doubt()

    def _measured(
        self, segmenter: Segmenter, content: Content, findings: Sequence[Finding], is_odd: bool
    ) -> Doubt:
        random = self.new_random()
        depth = self.policy.depth(content.features, findings, random, is_odd=is_odd)
        if depth is Depth.NOTHING:
            return self._skipped(NOT_CHOSEN)
        recipe = self._affordable(depth)
        if recipe is None:
            return self._skipped(TOO_SLOW)
        estimated, began = self._expected_ms(recipe) / 1000, self.clock()
        if not self.budget.take(estimated, began):
            return self._skipped(OVER_BUDGET)
        try:
            found = self._looked(Ensemble(segmenter, recipe), content, random)
        finally:
            spent = self.clock() - began
            self.budget.settle(estimated, spent)
        return replace(found, features={**found.features, "ensemble_ms": 1000 * spent})

    def _looked(self, ensemble: Ensemble, content: Content, random: Generator) -> Doubt:
        view = ensemble.look(content.screened.image, content.parsing, random)
        found = Doubt({**view.features(), "ensemble_passes": float(view.passes)}, view.findings)
        FeatureVector.of(found.features)
        self.metrics.ensembles.labels(self._named(ensemble.recipe)).inc()
        return found

    def _named(self, recipe: Recipe) -> str:
        """The word for a recipe in metrics."""
        if recipe == self.recipe:
            return Depth.FULL.value
        is_least = recipe == self.recipe.members_only()
        return Depth.MEMBERS.value if is_least else WITHOUT_TILES

    def _affordable(self, depth: Depth) -> Recipe | None:
        """The most thorough recipe up to a depth that will not take too long."""
        members = self.recipe.members_only()
        full = (self.recipe, self.recipe.without_tiles())
        recipes = (*full, members) if depth is Depth.FULL else (members,)
        return next((each for each in recipes if self._expected_ms(each) <= self.max_ms), None)

    def _expected_ms(self, recipe: Recipe) -> float:
        return self._forward_ms * recipe.cost

    def _skipped(self, why: str) -> Doubt:
        self.metrics.ensembles.labels(why).inc()
        return Doubt()
