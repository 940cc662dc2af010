"""Every code that a record can have as a reason says what it is evidence of."""

import pytest

from detectors.evidence.kinds import KINDS, EvidenceKind
from inference.gate.refusals import GATE_REFUSALS, RULE_REFUSALS
from inference.proxying import NOT_MEASURED, NOT_PASSED_ON, UPSTREAM_FAILED
from inference.refusals import PROXY_REFUSALS, REFUSALS, Refusal
from inference.results.outcomes import ANSWER_NOT_READ, MEASUREMENT_FAILED
from store.counts.period_counts import TURNED_AWAY
from store.requests.records import Stage

ALL = (*REFUSALS, *PROXY_REFUSALS, *GATE_REFUSALS, *RULE_REFUSALS.values())


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.code)
def test_every_refusal_has_a_kind(refusal: Refusal) -> None:
    assert refusal.code in KINDS


@pytest.mark.parametrize(
    "code", [MEASUREMENT_FAILED, ANSWER_NOT_READ, NOT_MEASURED, UPSTREAM_FAILED, NOT_PASSED_ON]
)
def test_a_measurement_that_fails_is_nobodys_doing_but_ours(code: str) -> None:
    assert KINDS[code] is EvidenceKind.SERVICE


@pytest.mark.parametrize("refusal", [r for r in ALL if r.stage is Stage.ADMISSION], ids=str)
def test_what_is_refused_at_admission_can_be_counted_without_a_record(refusal: Refusal) -> None:
    assert KINDS[refusal.code].value in TURNED_AWAY
