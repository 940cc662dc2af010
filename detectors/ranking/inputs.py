"""What a re-ranker knows of a request: few numbers, all recorded before anybody judged it.

No name, no address and no picture is among them: what is learnt from one client holds for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, log1p, nan

import numpy as np

from detectors.evidence.kinds import WEIGHTS, EvidenceKind
from detectors.outliers.preparation import Vector
from detectors.registry import FEATURE_NAMES, Group, find_feature


@dataclass(frozen=True)
class Input:
    """One number that a re-ranker learns from.

    Attributes:
        much, little: what a high and a low value say, for pages.
        groups: the feature groups whose contributions to the outlier score it sums.
    """

    name: str
    much: str
    little: str
    groups: tuple[Group, ...] = ()


INPUTS: tuple[Input, ...] = (
    Input("surprise", "a very small p-value", "a p-value that is not so small"),
    Input("picture", "unusual features of the picture", "a usual picture", (Group.INPUT,)),
    Input("model", "unusual confidence of the model", "a model as sure as usual", (Group.MODEL,)),
    Input(
        "topology", "unusual shapes in the parse", "usual shapes in the parse", (Group.TOPOLOGY,)
    ),
    Input("looks", "unusual looks", "usual looks", (Group.LOOK, Group.ENSEMBLE)),
    Input("traffic", "unusual traffic", "usual traffic", (Group.TRAFFIC,)),
    Input("tampering", "evidence of the looks", "little evidence of the looks"),
    Input("probing", "likeness to queries of a search", "no likeness to queries of a search"),
    Input("rules", "rules that fired", "no rule that fired"),
)
INPUT_NAMES: tuple[str, ...] = tuple(each.name for each in INPUTS)
SURPRISE = INPUT_NAMES.index("surprise")
"""Column of minus the logarithm of the p-value, in nats: the order without a re-ranker."""

_BY_NAME = {each.name: each for each in INPUTS}


@dataclass(frozen=True)
class Recorded:
    """What was recorded of a request when it came and when it was scanned.

    Attributes:
        contributions: distances in interquartile ranges by feature; empty for no outlier.
        tamper_score, probing_score: the features of these names; ``None`` if not measured.
        kinds: of the evidence that its findings are; the outlier score is none of them.
    """

    p_value: float
    contributions: Mapping[str, float]
    tamper_score: float | None
    probing_score: float | None
    kinds: Sequence[EvidenceKind] = ()


def measure_inputs(recorded: Recorded) -> Vector:
    """The inputs of a request in the order of ``INPUTS``, ``(inputs,)``; NaN for not measured."""
    tampering, probing = recorded.tamper_score, recorded.probing_score
    values = {
        "surprise": -log(recorded.p_value),
        **_sum_contributions(recorded.contributions),
        "tampering": nan if tampering is None else tampering,
        "probing": nan if probing is None else log1p(max(0.0, probing)),
        "rules": sum(WEIGHTS[kind].weight for kind in set(recorded.kinds) if kind in WEIGHTS),
    }
    return np.array([values[name] for name in INPUT_NAMES], np.float64)


def phrase_input(name: str, *, is_high: bool) -> str:
    """What an input says, in words."""
    return _BY_NAME[name].much if is_high else _BY_NAME[name].little


def _sum_contributions(contributions: Mapping[str, float]) -> dict[str, float]:
    """The logarithm of one plus the distances of each group's features."""
    sums: dict[Group, float] = {}
    for name, distance in contributions.items():
        if name in FEATURE_NAMES:
            group = find_feature(name).group
            sums[group] = sums.get(group, 0.0) + abs(distance)
    return {
        each.name: log1p(sum(sums.get(group, 0.0) for group in each.groups))
        for each in INPUTS
        if each.groups
    }
