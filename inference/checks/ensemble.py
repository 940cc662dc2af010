"""Runs an ensemble on a request if the policy asks for one and the budget allows it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from time import monotonic

from numpy.random import Generator

from detectors.baseline.baseline import Baseline
from detectors.baseline.phases import SourceState
from detectors.registry import FeatureVector
from inference.checks.base import Case, CheckResult, Needs
from inference.ensemble.budget import Budget, Budgets
from inference.ensemble.draws import Draws
from inference.ensemble.ensemble import Ensemble
from inference.ensemble.policy import Depth, EnsembleMode, EnsemblePolicy
from inference.ensemble.recipe import Recipe
from inference.metrics import Metrics

NOT_CHOSEN = "not_chosen"
OVER_BUDGET = "over_budget"
TOO_SLOW = "too_slow"
FAULT = "fault"
WITHOUT_TILES = "without_tiles"


@dataclass
class EnsembleCheck:
    """Runs ensembles without ever holding up the service.

    Attributes:
        recipe: the full recipe; its members alone are the lesser depth.
        state_of: what is known of the source of a digest; without a baseline only the policy
            decides.
        is_sampled: whether a case belongs to the sample that its source is learnt from.
        draws: what is drawn for an upload.
        max_ms: longest time that an ensemble may be expected to take; one that would take longer
            is cut or not run.
        clock: monotonic seconds.
    """

    recipe: Recipe
    policy: EnsemblePolicy
    budgets: Budgets
    metrics: Metrics
    state_of: Callable[[str], SourceState]
    is_sampled: Callable[[Case], bool]
    draws: Draws
    max_ms: float = 10_000.0
    clock: Callable[[], float] = monotonic
    _forward_ms: float = field(default=0.0, init=False)
    name = "ensemble"
    needs = Needs.FINDINGS

    def run(self, case: Case) -> CheckResult:
        """Features and findings of a request's ensemble, its cost on top of the looks before.

        Empty if none was run; :class:`inference.metrics.Metrics` says how often, and why.
        """
        # Only an estimate is made of it, so that threads may overwrite each other's.
        self._forward_ms = case.forward_ms or self._forward_ms
        try:
            return self._run(case)
        except Exception:
            self.metrics.ensembles.labels(FAULT).inc()
            raise

    def for_learning(self) -> "EnsembleCheck":
        """The same for every request in full, whatever it costs.

        Tiles are not searched: a baseline has no use for them.
        """
        return replace(
            self,
            recipe=self.recipe.without_tiles(),
            policy=EnsemblePolicy(EnsembleMode.SAMPLED),
            state_of=lambda _: SourceState(),
            is_sampled=lambda _: True,
            budgets=Budgets.one(Budget(inf)),
            max_ms=inf,
        )

    def _run(self, case: Case) -> CheckResult:
        depth = self._depth(case)
        if depth is Depth.NOTHING:
            return self._skip(NOT_CHOSEN)
        recipe = self._affordable(depth)
        if recipe is None:
            return self._skip(TOO_SLOW)
        random = self.draws.generator(self.name, case.upload.sha256, case.segmenter.digest)
        budget = self.budgets.choose(is_for_learning=depth is Depth.SAMPLE)
        return self._run_within(budget, Ensemble(case.segmenter, recipe), case, random)

    def _depth(self, case: Case) -> Depth:
        state = self.state_of(case.segmenter.digest)
        # What could not be measured is suspicious.
        features = case.features if case.is_measured else {}
        return self.policy.for_source(state).depth(
            features,
            case.findings,
            state,
            is_sampled=self.is_sampled(case),
            is_odd=_is_odd(case, state.baseline),
        )

    def _run_within(
        self, budget: Budget, ensemble: Ensemble, case: Case, random: Generator
    ) -> CheckResult:
        estimate, start = self._estimate_ms(ensemble.recipe) / 1000, self.clock()
        if not budget.take(estimate, start):
            return self._skip(OVER_BUDGET)
        try:
            result = self._look(ensemble, case, random)
        finally:
            seconds = self.clock() - start
            budget.settle(estimate, seconds)
        milliseconds = case.features.get("ensemble_ms", 0.0) + 1000 * seconds
        return replace(result, features={**result.features, "ensemble_ms": milliseconds})

    def _look(self, ensemble: Ensemble, case: Case, random: Generator) -> CheckResult:
        view = ensemble.look(case.image, case.parsing, random)
        passes = case.features.get("ensemble_passes", 0.0) + view.passes
        features = {**view.features(), "ensemble_passes": passes}
        FeatureVector.of(features)
        self.metrics.ensembles.labels(self._recipe_name(ensemble.recipe)).inc()
        return CheckResult(features, view.findings)

    def _recipe_name(self, recipe: Recipe) -> str:
        """The word for a recipe in metrics."""
        if recipe == self.recipe:
            return Depth.FULL.value
        is_least = recipe == self.recipe.members_only()
        return Depth.MEMBERS.value if is_least else WITHOUT_TILES

    def _affordable(self, depth: Depth) -> Recipe | None:
        """The most thorough recipe up to a depth that will not take too long."""
        members = self.recipe.members_only()
        sample = self.recipe.without_tiles()
        recipes = {
            Depth.FULL: (self.recipe, sample, members),
            Depth.SAMPLE: (sample,),
        }.get(depth, (members,))
        return next((each for each in recipes if self._estimate_ms(each) <= self.max_ms), None)

    def _estimate_ms(self, recipe: Recipe) -> float:
        return self._forward_ms * recipe.cost

    def _skip(self, why: str) -> CheckResult:
        self.metrics.ensembles.labels(why).inc()
        return CheckResult()


def _is_odd(case: Case, baseline: Baseline | None) -> bool:
    """Whether the looks before are further out than the baseline lets pass."""
    if baseline is None:
        return False
    # Written this way round, so that what could not be judged counts as odd.
    return not baseline.score(case.features).value < baseline.look_again
