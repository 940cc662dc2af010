"""A baseline as the text of a file."""

import json
from typing import Any

from detectors.baseline.attack_evidence import EVIDENCE, Evidence
from detectors.baseline.baseline import Baseline, BaselineError, Expectation, Line
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits


def to_json(baseline: Baseline) -> str:
    """The numbers; what they are numbers of belongs to the code and is named only."""
    expectations = {
        each.evidence.name: {
            "limit": each.limit,
            "lines": [[line.intercept, list(line.slopes), line.limit] for line in each.lines],
        }
        for each in baseline.expectations
    }
    header = {
        "segmenter": baseline.segmenter,
        "look_again": baseline.look_again,
        "odd_from": baseline.odd_from,
        "sure_below": baseline.sure_below,
        "limits": baseline.limits.list_learnt(),
    }
    text = json.dumps({**header, "expectations": expectations, "scores": baseline.scores}, indent=1)
    return text + "\n"


def from_json(text: str) -> Baseline:
    """Read what :func:`to_json` wrote.

    Raises:
        BaselineError: it is something else, or lacks evidence that is known here.
    """
    try:
        data = json.loads(text)
        lines = data["expectations"]
        expectations = tuple(
            _expectation(each, lines)
            for each in EVIDENCE
            if each.name in lines or not each.is_optional
        )
        return Baseline(
            str(data["segmenter"]),
            expectations,
            float(data["look_again"]),
            _scores(data["scores"]),
            _limits(data.get("limits")),
            _number(data.get("odd_from")),
            _number(data.get("sure_below")),
        )
    except (AttributeError, KeyError, IndexError, OverflowError, TypeError, ValueError):
        raise BaselineError(
            "It is no baseline of this version: learn one with `maskwatch model learn-baseline`."
        ) from None


def _expectation(evidence: Evidence, data: dict[str, Any]) -> Expectation:
    mine = data[evidence.name]
    lines = tuple(
        Line(part, float(intercept), _slopes(part.predictors, slopes), float(limit))
        for part, (intercept, slopes, limit) in zip(evidence.parts, mine["lines"], strict=True)
    )
    return Expectation(evidence, lines, float(mine["limit"]))


def _scores(values: list[float]) -> tuple[float, ...]:
    """Without any there is no threshold."""
    if not values:
        raise ValueError(values)
    return tuple(sorted(float(each) for each in values))


def _limits(values: dict[str, float] | None) -> TopologyLimits:
    """The first baselines have none."""
    if values is None:
        return DEFAULTS
    return TopologyLimits.of({name: float(value) for name, value in values.items()})


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _slopes(predictors: tuple[str, ...], values: list[float]) -> tuple[float, ...]:
    if len(predictors) != len(values):
        raise ValueError(values)
    return tuple(float(slope) for slope in values)
