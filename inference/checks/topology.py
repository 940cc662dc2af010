"""Measures whether the parts form bodies, and judges every person by the topology rules."""

from collections.abc import Callable
from dataclasses import dataclass

from detectors.baseline.sample import name_extremes
from detectors.topology.persons import Scene
from detectors.topology.topology_features import topology_features
from detectors.topology.topology_limits import TopologyLimits
from detectors.topology.topology_rules import (
    list_judged,
    topology_extremes,
    topology_findings,
)
from inference.checks.base import Case, CheckResult, Needs


@dataclass(frozen=True)
class TopologyCheck:
    """The topology of a parse.

    Attributes:
        limits_of: the limits of the rules for a model's digest.
    """

    limits_of: Callable[[str], TopologyLimits]
    name = "topology"
    needs = Needs.CONTENT

    def run(self, case: Case) -> CheckResult:
        """The features of the group ``topology``, and at most one finding a rule."""
        scene = Scene.of(case.parsing)
        limits = self.limits_of(case.segmenter.digest)
        measures = {
            **topology_features(scene),
            **name_extremes(topology_extremes(scene)),
            "persons_judged": float(len(list_judged(scene, limits))),
        }
        return CheckResult(measures, topology_findings(scene, limits))
