import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.findings import Finding, Severity
from detectors.rule_book import FACE_HIDDEN, POLYGLOT, RULES, TROUSERS_WITHOUT_FEET, TYPE_MISMATCH
from detectors.verdict import Mode, Verdict, judge

findings = st.lists(st.sampled_from(RULES).map(Finding), max_size=6)
ORDER = [Severity.BAD, Severity.SUSPECT, Severity.ODD]


@pytest.mark.parametrize("mode", Mode)
def test_nothing_found_passes(mode: Mode) -> None:
    judgement = judge((), mode)
    assert (judgement.verdict, judgement.reasons) == (Verdict.PASS, ())


@pytest.mark.parametrize("mode", Mode)
def test_an_odd_finding_alone_passes_but_is_named(mode: Mode) -> None:
    judgement = judge([Finding(TYPE_MISMATCH)], mode)
    assert (judgement.verdict, judgement.reasons) == (Verdict.PASS, ("declared_type_differs",))


@pytest.mark.parametrize("mode", Mode)
def test_a_suspect_finding_is_flagged_and_never_refused(mode: Mode) -> None:
    judgement = judge([Finding(POLYGLOT)], mode)
    assert (judgement.verdict, judgement.reasons) == (Verdict.FLAG, ("polyglot",))


@pytest.mark.parametrize(
    ("mode", "verdict"), [(Mode.MONITOR, Verdict.FLAG), (Mode.ENFORCE, Verdict.REFUSE)]
)
def test_the_mode_decides_about_a_bad_finding(mode: Mode, verdict: Verdict) -> None:
    assert judge([Finding(FACE_HIDDEN)], mode).verdict is verdict


def test_the_heaviest_reason_comes_first_and_equals_keep_their_order() -> None:
    found = [
        Finding(rule) for rule in (TYPE_MISMATCH, POLYGLOT, TROUSERS_WITHOUT_FEET, FACE_HIDDEN)
    ]
    assert judge(found, Mode.MONITOR).reasons == (
        "trousers_without_feet",
        "face_hidden",
        "polyglot",
        "declared_type_differs",
    )


@given(findings)
def test_the_heaviest_finding_alone_decides_the_verdict(found: list[Finding]) -> None:
    weights = {finding.rule.severity for finding in found}
    heaviest = next((severity for severity in ORDER if severity in weights), Severity.ODD)
    monitored, enforced = judge(found, Mode.MONITOR), judge(found, Mode.ENFORCE)
    flagged = heaviest is not Severity.ODD
    assert monitored.verdict is (Verdict.FLAG if flagged else Verdict.PASS)
    refused = heaviest is Severity.BAD
    assert enforced.verdict is (Verdict.REFUSE if refused else monitored.verdict)
    assert monitored.reasons == enforced.reasons


@given(findings, st.sampled_from(Mode))
def test_every_finding_is_named_heaviest_first(found: list[Finding], mode: Mode) -> None:
    reasons = judge(found, mode).reasons
    assert sorted(reasons) == sorted(finding.rule.code for finding in found)
    by_code = {rule.code: ORDER.index(rule.severity) for rule in RULES}
    weights = [by_code[reason] for reason in reasons]
    assert weights == sorted(weights)
