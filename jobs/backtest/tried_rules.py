"""Rules whose limits can be tried on stored features, and what a request would have shown by them.

The pure functions of :mod:`detectors` that judge requests judge again here; only where a rule looks
at more than numbers that are stored, its comparison alone is made again.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import isfinite, nan

from detectors.baseline.phases import CONTENT_CODES, SourceState
from detectors.errors import MaskwatchError
from detectors.evidence.kinds import CLEAN_SHARE
from detectors.findings import Finding, Severity
from detectors.picture.input_rules import PIXEL_RULES, InputLimits, input_findings
from detectors.registry import find_feature
from detectors.rule_book import (
    ADVERSARIAL_PICTURE,
    BLANK_PICTURE,
    FACE_HIDDEN,
    FACELESS_HEAD,
    FLAT_PICTURE,
    NO_PERSON,
    NOISE_PICTURE,
    OUTLIER_TRAFFIC,
    PROBING_SEQUENCE,
    RULES,
    SKIN_SHARE_LOW,
    TRIGGER_SUSPECTED,
    TROUSERS_WITHOUT_FEET,
    find_rule,
)
from detectors.verdict import Judgement, Mode, Verdict, judge
from store.requests.past_requests import PastFinding, PastRequest

_PIXEL_CODES = tuple(rule.code for rule in PIXEL_RULES)
_INPUT_FEATURES = ("grey_entropy", "flat_share", "high_frequency_share")
_FACE_SIGNS = "face_signs"


class BadTrial(MaskwatchError):
    """What is to be tried cannot be."""


@dataclass(frozen=True)
class _Comparison:
    """A rule that fires by one stored feature alone.

    Attributes:
        beyond: whether a value lies beyond a limit.
    """

    feature: str
    beyond: Callable[[float, float], bool]


_COMPARISONS: Mapping[str, _Comparison] = {
    SKIN_SHARE_LOW.code: _Comparison("worst_skin_share", lambda value, limit: value < limit),
    TROUSERS_WITHOUT_FEET.code: _Comparison(
        "worst_trousers_gap", lambda value, limit: value > limit
    ),
    FACELESS_HEAD.code: _Comparison("worst_faceless_hair", lambda value, limit: value >= limit),
    ADVERSARIAL_PICTURE.code: _Comparison("tamper_score", lambda value, limit: value >= limit),
    PROBING_SEQUENCE.code: _Comparison("probing_score", lambda value, limit: value > limit),
    TRIGGER_SUSPECTED.code: _Comparison("trigger_score", lambda value, limit: value > limit),
}
_OF_INPUT = {
    BLANK_PICTURE.code: "min_grey_entropy",
    FLAT_PICTURE.code: "max_flat_share",
    NOISE_PICTURE.code: "max_high_frequency_share",
}
_FEATURE_OF = {
    **dict(zip(_OF_INPUT, _INPUT_FEATURES, strict=True)),
    **{code: each.feature for code, each in _COMPARISONS.items()},
}
REPLAYABLE: tuple[str, ...] = tuple(_FEATURE_OF)
"""Codes of the rules that can be tried."""


def name_feature(code: str) -> str:
    """The feature that a rule judges."""
    return _FEATURE_OF[code]


@dataclass(frozen=True)
class ServiceRules:
    """What the settings of the service say of its rules.

    Attributes:
        severities: of gate rules, where a setting says otherwise than the rule book.
        off: gate rules that are turned off; ``refused``: those that refuse.
    """

    mode: Mode = Mode.MONITOR
    inputs: InputLimits = field(default_factory=InputLimits)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    off: Set[str] = field(default_factory=frozenset)
    refused: Set[str] = field(default_factory=frozenset)


def read_limits(pairs: Sequence[str]) -> dict[str, float]:
    """Limits by rule, from ``CODE=LIMIT``.

    Raises:
        BadTrial: a rule that does not exist or cannot be tried, or a limit that is none.
    """
    limits: dict[str, float] = {}
    for pair in pairs:
        code, _, limit = (part.strip() for part in pair.partition("="))
        _check_code(code)
        if code in limits:
            raise BadTrial(f"The rule {code} has two limits: give it one.")
        limits[code] = _read_limit(code, limit)
    return limits


def _check_code(code: str) -> None:
    if code in REPLAYABLE:
        return
    can = f"These can be tried: {', '.join(REPLAYABLE)}."
    codes = [rule.code for rule in RULES]
    if code not in codes:
        near = get_close_matches(code, codes, n=1)
        nearest = f" (the nearest is {near[0]})" if near else ""
        raise BadTrial(f"There is no rule {code!r}{nearest}. {can}")
    if code == OUTLIER_TRAFFIC.code:
        raise BadTrial(f"What {code} finds follows from a model: try one with --model. {can}")
    raise BadTrial(f"The rule {code} does not follow from one stored number. {can}")


def _read_limit(code: str, text: str) -> float:
    feature = find_feature(_FEATURE_OF[code])
    try:
        limit = float(text)
    except ValueError:
        limit = nan
    if not isfinite(limit):
        raise BadTrial(f"The limit of {code} is no number: write --rule {code}=NUMBER.")
    if not feature.low <= limit <= feature.high or (code == FACELESS_HEAD.code and limit <= 0):
        raise BadTrial(
            f"The limit {text} of {code} lies outside of what {feature.name} can be: "
            f"{feature.low:g} to {feature.high:g} ({feature.unit})."
        )
    return limit


@dataclass(frozen=True)
class TriedRules:
    """Rules with other limits, and what decides how much their findings weigh.

    Attributes:
        limits: by code; none to leave everything as it was recorded.
        states: what is known of each source by its digest, now.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    service: ServiceRules = field(default_factory=ServiceRules)
    states: Mapping[str, SourceState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse rules that are off.

        Raises:
            BadTrial: the settings turn one off.
        """
        for code in self.limits:
            if code in self.service.off:
                raise BadTrial(f"The setting gate_rules turns {code} off: no limit changes that.")

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that they look at."""
        names = [_COMPARISONS[code].feature for code in self.limits if code in _COMPARISONS]
        if self._tries_inputs:
            names += _INPUT_FEATURES
        if SKIN_SHARE_LOW.code in self.limits:
            names.append(_FACE_SIGNS)
        return tuple(dict.fromkeys(names))

    def apply(self, request: PastRequest) -> PastRequest:
        """The request as it would have been recorded; as it was, where nothing changes."""
        if not request.features:
            return request
        own = self._list_codes(request)
        kept = {code: each for code, each in request.findings.items() if code not in self._codes}
        if own == request.findings.keys() - kept.keys():
            return request
        new = {code: request.findings.get(code) or self._find(code, request) for code in own}
        return self._judge(request, {**kept, **new})

    @property
    def _tries_inputs(self) -> bool:
        return not _OF_INPUT.keys().isdisjoint(self.limits)

    @property
    def _codes(self) -> Set[str]:
        """Rules that are judged again: beside those with a limit, those that follow from them."""
        codes = set(self.limits)
        if self._tries_inputs:
            codes |= set(_PIXEL_CODES) - self.service.off
        if SKIN_SHARE_LOW.code in codes:
            codes.add(FACE_HIDDEN.code)
        return codes

    def _list_codes(self, request: PastRequest) -> Set[str]:
        """Which of these rules fire on a request."""
        codes = {
            code
            for code, limit in self.limits.items()
            if code in _COMPARISONS and _fires(code, limit, request)
        }
        if self._tries_inputs:
            findings = input_findings(request.features, self._input_limits())
            codes |= {finding.rule.code for finding in findings} - self.service.off
        if SKIN_SHARE_LOW.code in self.limits and _hides_a_face(request, codes):
            codes.add(FACE_HIDDEN.code)
        return codes

    def _input_limits(self) -> InputLimits:
        tried = {_OF_INPUT[code]: each for code, each in self.limits.items() if code in _OF_INPUT}
        return replace(self.service.inputs, **tried)

    def _find(self, code: str, request: PastRequest) -> PastFinding:
        """A finding that there was not, with the weight that it has for its source."""
        rule = find_rule(code)
        severity = self.service.severities.get(code, rule.severity)
        state = self.states.get(request.segmenter or "", SourceState())
        if code in CONTENT_CODES:
            [weighed] = state.weigh((Finding(rule),))
            severity = weighed.rule.severity
        numbers: dict[str, float] = {}
        if code == ADVERSARIAL_PICTURE.code and state.baseline is not None:
            score = request.features["tamper_score"]
            numbers = {CLEAN_SHARE: round(state.baseline.clean_share(score), 6)}
        return PastFinding(severity, numbers)

    def _judge(self, request: PastRequest, findings: Mapping[str, PastFinding]) -> PastRequest:
        weighed = [
            Finding(replace(find_rule(code), severity=each.severity), each.numbers)
            for code, each in findings.items()
        ]
        judgement = judge(weighed, self.service.mode)
        # Why something was not measured or not read is a reason, and no finding.
        faults = (
            code for code in request.codes if code not in self._codes | request.findings.keys()
        )
        if not self.service.refused.isdisjoint(findings):
            judgement = Judgement(Verdict.REFUSE, judgement.reasons)
        codes = (*judgement.reasons, *faults)
        return replace(request, verdict=judgement.verdict, codes=codes, findings=findings)


def _fires(code: str, limit: float, request: PastRequest) -> bool:
    comparison = _COMPARISONS[code]
    value = request.features.get(comparison.feature, nan)
    # A model whose labels name no skin has a share of 0 on every picture, and the rule judges none.
    if code == SKIN_SHARE_LOW.code and value == 0 and code not in request.findings:
        return False
    return comparison.beyond(value, limit)


def _hides_a_face(request: PastRequest, codes: Set[str]) -> bool:
    """As the check of hidden faces has it: nobody or a person without skin, and signs of a face."""
    is_odd = NO_PERSON.code in request.findings or SKIN_SHARE_LOW.code in codes
    return is_odd and request.features.get(_FACE_SIGNS, nan) >= 1
