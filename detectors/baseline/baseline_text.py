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
    known = {
        "segmenter": baseline.segmenter,
        "look_again": baseline.look_again,
        "limits": baseline.limits.learnt(),
    }
    text = json.dumps({**known, "expectations": expectations, "scores": baseline.scores}, indent=1)
    return text + "\n"


def from_json(text: str) -> Baseline:
    """Read what :func:`to_json` wrote.

    Raises:
        BaselineError: it is something else, or lacks evidence that is known here.
    """
    try:
        data = json.loads(text)
        expectations = tuple(_expectation(each, data["expectations"]) for each in EVIDENCE)
        return Baseline(
            str(data["segmenter"]),
            expectations,
            float(data["look_again"]),
            _scores(data["scores"]),
            _limits(data.get("limits")),
        )
    except (AttributeError, KeyError, IndexError, OverflowError, TypeError, ValueError):
        raise BaselineError(
            "It is no baseline of this version: learn one with `maskwatch baseline`."
        ) from None


def _expectation(evidence: Evidence, told: dict[str, Any]) -> Expectation:
    mine = told[evidence.name]
    lines = tuple(
        Line(part, float(intercept), _slopes(part.given, slopes), float(limit))
        for part, (intercept, slopes, limit) in zip(evidence.parts, mine["lines"], strict=True)
    )
    return Expectation(evidence, lines, float(mine["limit"]))


def _scores(told: list[float]) -> tuple[float, ...]:
    """Without any there is no threshold."""
    if not told:
        raise ValueError(told)
    return tuple(sorted(float(each) for each in told))


def _limits(told: dict[str, float] | None) -> TopologyLimits:
    """The first baselines have none."""
    if told is None:
        return DEFAULTS
    return TopologyLimits.of({name: float(value) for name, value in told.items()})


def _slopes(given: tuple[str, ...], told: list[float]) -> tuple[float, ...]:
    if len(given) != len(told):
        raise ValueError(told)
    return tuple(float(slope) for slope in told)
