"""Rules with other limits, on stored features."""

from dataclasses import replace
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline.phases import Phase, SourceState
from detectors.findings import Severity
from detectors.picture.input_rules import InputLimits, input_findings
from detectors.verdict import Mode, Verdict, judge
from jobs.backtest.tried_rules import (
    REPLAYABLE,
    BadTrial,
    ServiceRules,
    TriedRules,
    name_feature,
    read_limits,
)
from store.requests.past_requests import PastFinding, PastRequest
from store.requests.records import Stage
from tests.makers import NOW

IN_FORCE = SourceState(Phase.IN_FORCE)
SOURCE = "ab" * 32
shares = st.floats(0, 1) | st.just(nan)


def make_request(**changes: object) -> PastRequest:
    usual = PastRequest(1, "a", NOW, "ip:203.0.113.7", Stage.PARSED, Verdict.PASS, segmenter=SOURCE)
    return replace(usual, **changes)  # type: ignore[arg-type]


def try_rules(*pairs: str, **service: object) -> TriedRules:
    rules = ServiceRules(**service)  # type: ignore[arg-type]
    return TriedRules(read_limits(pairs), rules, {SOURCE: IN_FORCE})


@given(shares, shares, shares)
def test_limits_in_force_change_nothing(entropy: float, flat: float, high: float) -> None:
    features = {"grey_entropy": entropy, "flat_share": flat, "high_frequency_share": high}
    fired = input_findings(features, InputLimits())
    judgement = judge(fired, Mode.MONITOR)
    request = make_request(
        verdict=judgement.verdict,
        codes=judgement.reasons,
        features=features,
        findings={each.rule.code: PastFinding(each.rule.severity, each.evidence) for each in fired},
    )
    for pair in ("blank_picture=0.5", "flat_picture=0.98", "noise_picture=0.6"):
        assert try_rules(pair).apply(request) is request


@given(st.sampled_from(REPLAYABLE), st.floats(0.01, 0.9), st.floats(0.01, 0.9))
def test_a_rule_fires_on_one_side_of_its_limit_alone(code: str, value: float, limit: float) -> None:
    names = {"grey_entropy": 3.0, "flat_share": 0.0, "high_frequency_share": 0.0}
    features = {**names, name_feature(code): value}
    request = make_request(features=features)
    is_below = code in {"blank_picture", "skin_share_too_low"}
    fires = try_rules(f"{code}={limit}").apply(request).codes == (code,)
    if value != limit:
        assert fires is (value < limit if is_below else value > limit)


def test_what_fired_and_would_not_passes() -> None:
    request = make_request(
        verdict=Verdict.FLAG,
        codes=("trousers_without_feet", "no_person_found"),
        features={"worst_trousers_gap": 0.1},
        findings={
            "trousers_without_feet": PastFinding(Severity.BAD, {}),
            "no_person_found": PastFinding(Severity.ODD, {}),
        },
    )
    other = try_rules("trousers_without_feet=0.2").apply(request)
    assert (other.verdict, other.codes) == (Verdict.PASS, ("no_person_found",))
    assert try_rules("trousers_without_feet=0.05").apply(request) is request


@pytest.mark.parametrize(
    ("state", "mode", "verdict"),
    [
        (IN_FORCE, Mode.MONITOR, Verdict.FLAG),
        (IN_FORCE, Mode.ENFORCE, Verdict.REFUSE),
        (SourceState(Phase.PROVISIONAL), Mode.ENFORCE, Verdict.PASS),
        (
            SourceState(Phase.IN_FORCE, demoted=frozenset({"trousers_without_feet"})),
            Mode.ENFORCE,
            Verdict.PASS,
        ),
    ],
)
def test_a_new_finding_weighs_what_it_does_for_its_source(
    state: SourceState, mode: Mode, verdict: Verdict
) -> None:
    limits = {"trousers_without_feet": 0.05}
    rules = TriedRules(limits, ServiceRules(mode), {SOURCE: state})
    request = make_request(features={"worst_trousers_gap": 0.1})
    assert rules.apply(request).verdict is verdict


def test_a_hidden_face_follows_from_a_person_without_skin() -> None:
    features = {"worst_skin_share": 0.012, "face_signs": 1.0}
    request = make_request(features=features)
    other = try_rules("skin_share_too_low=0.02").apply(request)
    assert other.codes == ("face_hidden", "skin_share_too_low")
    assert other.verdict is Verdict.FLAG
    without_sign = make_request(features={**features, "face_signs": 0.0})
    assert try_rules("skin_share_too_low=0.02").apply(without_sign).verdict is Verdict.PASS


def test_a_model_that_names_no_skin_is_not_judged_by_it() -> None:
    request = make_request(features={"worst_skin_share": 0.0, "face_signs": 0.0})
    assert try_rules("skin_share_too_low=0.02").apply(request) is request


def test_reasons_that_are_no_findings_stay() -> None:
    request = make_request(
        codes=("probing_sequence", "measurement_failed"),
        features={"probing_score": 3.0},
        findings={"probing_sequence": PastFinding(Severity.SUSPECT, {})},
    )
    assert try_rules("probing_sequence=5").apply(request).codes == ("measurement_failed",)
    weaker = replace(request, codes=("measurement_failed",), findings={})
    codes = try_rules("probing_sequence=1").apply(weaker).codes
    assert codes == ("probing_sequence", "measurement_failed")


def test_what_was_not_measured_stays_as_it_was() -> None:
    for request in (make_request(), make_request(features={"probing_score": nan})):
        assert try_rules("probing_sequence=1").apply(request) is request


def test_a_gate_rule_does_what_its_setting_says() -> None:
    request = make_request(
        features={"grey_entropy": 0.6, "flat_share": 0.1, "high_frequency_share": 0.1}
    )
    refusing = try_rules("blank_picture=1", refused=frozenset({"blank_picture"}))
    assert refusing.apply(request).verdict is Verdict.REFUSE
    noting = try_rules("blank_picture=1", severities={"blank_picture": Severity.ODD})
    assert noting.apply(request).verdict is Verdict.PASS
    with pytest.raises(BadTrial, match="turns blank_picture off"):
        try_rules("blank_picture=1", off=frozenset({"blank_picture"}))


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (["no_such_rule=1"], "There is no rule 'no_such_rule'"),
        (["flat_pictur=1"], r"There is no rule 'flat_pictur' \(the nearest is flat_picture\)"),
        (["polyglot=1"], "polyglot does not follow from one stored number. These can be tried: "),
        (["outlier_traffic=1"], "try one with --model"),
        (["flat_picture"], "The limit of flat_picture is no number"),
        (["flat_picture=much"], "The limit of flat_picture is no number"),
        (["flat_picture=nan"], "The limit of flat_picture is no number"),
        (["flat_picture=inf"], "The limit of flat_picture is no number"),
        (["flat_picture=1.2"], r"lies outside of what flat_share can be: 0 to 1 \(share\)"),
        (["faceless_head=0"], "lies outside of what worst_faceless_hair can be"),
        (["flat_picture=0.9", "flat_picture=0.8"], "The rule flat_picture has two limits"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(pairs: list[str], sentence: str) -> None:
    with pytest.raises(BadTrial, match=sentence):
        read_limits(pairs)
