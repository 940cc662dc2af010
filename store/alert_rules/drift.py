"""The alert rules ``world_changed`` and ``traffic_pushed``: traffic moved away from the models."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from detectors.drift.drift import MIN_INDEX, DriftKind
from detectors.registry import FEATURE_NAMES, find_feature
from store.alert_rules.rule import AlertRule, Facts, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import WARNING, Condition
from store.baselines.drifts import list_drifts
from store.tables.baseline_tables import DriftRow
from store.tables.work_tables import AlertRow

WORLD_CHANGED, TRAFFIC_PUSHED = "world_changed", "traffic_pushed"
_ATLAS, _OWASP = "AML.T0020", "ML02:2023"
_NAMED = 3

Shift = dict[str, Any]


def drift_condition(code: str, kind: DriftKind, drift: DriftRow) -> Condition:
    """One source, as its traffic was compared last."""
    active = drift.kind == kind
    return Condition(
        fingerprint=f"{code}:{drift.source[:12]}",
        rule=code,
        severity=WARNING,
        active=active,
        value=max((shift["index"] for shift in drift.shifts), default=0.0),
        threshold=MIN_INDEX,
        summary=_summarise(drift) if active else _RESOLVED.format(drift.source[:12]),
        atlas=_ATLAS,
        owasp=_OWASP,
        evidence={
            "source": drift.source,
            "features": [_describe(shift) for shift in drift.shifts],
            "pushers": _list_pushers(drift.shifts),
            "requests": drift.requests,
            "networks": drift.networks,
        },
    )


_RESOLVED = "The traffic of {} no longer differs so from what the outlier model learnt from."


def _summarise(drift: DriftRow) -> str:
    features = ", ".join(_describe(shift) for shift in drift.shifts[:_NAMED])
    more = len(drift.shifts) - _NAMED
    rest = f" and {more} more" if more > 0 else ""
    if drift.kind == DriftKind.PUSH:
        few = _list_pushers(drift.shifts)
        who = ", ".join(few[:_NAMED]) + (f" and {len(few) - _NAMED} more" if few[_NAMED:] else "")
        return (
            f"{who} move the traffic of {drift.source[:12]}: {features}{rest}. Without them it is "
            "what it was. No outlier model is promoted meanwhile."
        )
    return f"The traffic of {drift.source[:12]} changed over many clients: {features}{rest}."


def _describe(shift: Shift) -> str:
    """A feature, where it went, and for how many.

    >>> _describe({"name": "persons", "is_higher": True, "same_way": 0.82})
    'Persons is higher for 82 % of the networks'
    """
    side = "higher" if shift["is_higher"] else "lower"
    name = str(shift["name"])
    words = find_feature(name).meaning if name in FEATURE_NAMES else name
    return f"{words} is {side} for {100 * shift['same_way']:.0f} % of the networks"


def _list_pushers(shifts: Sequence[Shift]) -> list[str]:
    """Those of all features, those of the feature that moved furthest first."""
    return list(dict.fromkeys(name for shift in shifts for name in shift["pushers"]))


def _look(code: str, kind: DriftKind) -> Callable[[Surroundings], Judgement]:
    def conditions(session: Session) -> Iterator[Condition]:
        for drift in list_drifts(session):
            yield drift_condition(code, kind, drift)

    return lambda _around: conditions


def _list_facts(alert: AlertRow) -> Facts:
    evidence = alert.evidence
    facts = [
        ("Source", str(evidence.get("source"))[:12]),
        ("Traffic", f"{evidence.get('requests')} requests of {evidence.get('networks')} networks"),
        *(("Moved", str(feature)) for feature in evidence.get("features", [])[:_NAMED]),
    ]
    pushers = [str(name) for name in evidence.get("pushers", [])]
    return (*facts, ("Pushed by", ", ".join(pushers))) if pushers else tuple(facts)


_make = partial(
    AlertRule,
    unit=Unit(UnitKind.NUMBER, "population stability index"),
    facts=_list_facts,
)

RULE = _make(
    code=WORLD_CHANGED,
    words="World changed",
    meaning="The traffic of many clients moved away from what the outlier model learnt from.",
    firing=lambda _: "many clients send something else",
    resolved=lambda _: "the traffic fits the outlier model again",
    next_steps=(
        "Did something change: an application, cameras, a season, how pictures are prepared? Then "
        "the next nights' retraining follows, within its bounds.",
        "If nothing changed, look at the newest requests of the features named: many addresses of "
        "one attacker look like this too.",
    ),
    runbook=WORLD_CHANGED,
    look=_look(WORLD_CHANGED, DriftKind.WORLD),
)
PUSH_RULE = _make(
    code=TRAFFIC_PUSHED,
    words="Traffic pushed",
    meaning="A few networks, or pictures of one kind, move the traffic that models learn from.",
    firing=lambda _: "a few senders move what models learn from",
    resolved=lambda _: "nobody moves the traffic alone",
    next_steps=(
        "Look at the requests of those who are named. A new customer with other pictures is no "
        "attack; the same few pictures again and again are.",
        "Block an attacker: what blocked clients sent is not learnt from.",
        "Until it resolves no outlier model is promoted.",
    ),
    runbook=TRAFFIC_PUSHED,
    look=_look(TRAFFIC_PUSHED, DriftKind.PUSH),
)
