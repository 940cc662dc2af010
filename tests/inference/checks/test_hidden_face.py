"""A person without skin is odd, and bad once something else sees a face."""

from dataclasses import replace

import pytest

from detectors.findings import Finding, Place, Rule
from detectors.rule_book import FACE_HIDDEN, FACELESS_HEAD, NO_PERSON, SKIN_SHARE_LOW
from inference.checks.base import CheckResult
from inference.checks.hidden_face import HiddenFaceCheck
from tests.inference.check_cases import Blind, blank_content, case_of

PLACE = Place(1, 2, 3, 4)


def _run(rule: Rule, **features: float) -> CheckResult:
    case = case_of(blank_content(), Blind(), [Finding(rule, {}, (PLACE,))])
    return HiddenFaceCheck().run(replace(case, features=features))


@pytest.mark.parametrize("rule", [NO_PERSON, SKIN_SHARE_LOW])
@pytest.mark.parametrize(
    "sign",
    [{"faces_hidden": 1.0}, {"glance_returned_face_share": 0.5}, {"hidden_face_share": 0.8}],
)
def test_one_sign_of_a_face_makes_it_bad(rule: Rule, sign: dict[str, float]) -> None:
    result = _run(rule, **sign)
    assert result.findings == (Finding(FACE_HIDDEN, sign, (PLACE,)),)
    assert result.features == {"face_signs": 1.0}


@pytest.mark.parametrize(
    "signs",
    [
        {},
        {"faces_hidden": float("nan")},
        {"faces_hidden": 0.0, "glance_returned_face_share": 0.49, "hidden_face_share": 0.79},
    ],
)
def test_without_a_sign_nothing_is_said(signs: dict[str, float]) -> None:
    result = _run(SKIN_SHARE_LOW, **signs)
    assert (result.features, result.findings) == ({"face_signs": 0.0}, ())


def test_a_sign_alone_is_counted_and_says_nothing() -> None:
    result = _run(FACELESS_HEAD, faces_hidden=2.0, hidden_face_share=1.0)
    assert (result.features, result.findings) == ({"face_signs": 2.0}, ())
