import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.findings import NO_PERSON, RULES, SKIN_SHARE_LOW, TYPE_MISMATCH, Finding, Severity
from detectors.verdict import Mode, Verdict, judge

findings = st.lists(st.sampled_from(RULES).map(Finding), max_size=6)


@pytest.mark.parametrize("mode", Mode)
def test_nothing_found_passes(mode: Mode) -> None:
    judgement = judge((), mode)
    assert (judgement.verdict, judgement.reasons) == (Verdict.PASS, ())


@pytest.mark.parametrize("mode", Mode)
def test_an_odd_finding_alone_passes_but_is_named(mode: Mode) -> None:
    judgement = judge([Finding(TYPE_MISMATCH)], mode)
    assert (judgement.verdict, judgement.reasons) == (Verdict.PASS, ("declared_type_differs",))


@pytest.mark.parametrize(
    ("mode", "verdict"), [(Mode.MONITOR, Verdict.FLAG), (Mode.ENFORCE, Verdict.REFUSE)]
)
def test_the_mode_decides_about_a_bad_finding(mode: Mode, verdict: Verdict) -> None:
    assert judge([Finding(NO_PERSON)], mode).verdict is verdict


def test_the_heaviest_reason_comes_first_and_equals_keep_their_order() -> None:
    found = [Finding(rule) for rule in (TYPE_MISMATCH, SKIN_SHARE_LOW, NO_PERSON)]
    assert judge(found, Mode.MONITOR).reasons == (
        "skin_share_too_low",
        "no_person_found",
        "declared_type_differs",
    )


@given(findings)
def test_monitor_never_refuses_and_enforce_refuses_just_what_monitor_flags(
    found: list[Finding],
) -> None:
    monitored, enforced = judge(found, Mode.MONITOR), judge(found, Mode.ENFORCE)
    bad = any(finding.rule.severity is Severity.BAD for finding in found)
    assert monitored.verdict is (Verdict.FLAG if bad else Verdict.PASS)
    assert enforced.verdict is (Verdict.REFUSE if bad else Verdict.PASS)
    assert sorted(monitored.reasons) == sorted(finding.rule.code for finding in found)
