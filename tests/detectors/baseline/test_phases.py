"""What findings weigh follows from how well their source is known."""

import pytest

from detectors.baseline.phases import CONTENT_CODES, Phase, SourceState
from detectors.findings import Finding, Rule, Severity
from detectors.rule_book import (
    BLOCKED_PATCH,
    BLOCKED_PERTURBATION,
    HEADLESS_BODY,
    POLYGLOT,
    PROBING_SEQUENCE,
    RULES,
    TROUSERS_WITHOUT_FEET,
)

CONTENT_RULES = [rule for rule in RULES if rule.code in CONTENT_CODES]


@pytest.mark.parametrize("rule", CONTENT_RULES, ids=lambda rule: rule.code)
def test_a_rule_of_the_content_weighs_nothing_before_its_source_is_in_force(rule: Rule) -> None:
    for phase in Phase:
        [finding] = SourceState(phase).weigh([Finding(rule, {"share": 0.5})])
        is_odd = phase is not Phase.IN_FORCE
        assert finding.rule.severity is (Severity.ODD if is_odd else rule.severity)
        assert (finding.rule.code, finding.evidence) == (rule.code, {"share": 0.5})


def test_a_demoted_rule_weighs_nothing_and_the_others_do() -> None:
    state = SourceState(Phase.IN_FORCE, demoted={TROUSERS_WITHOUT_FEET.code})
    others = [rule for rule in CONTENT_RULES if rule != TROUSERS_WITHOUT_FEET]
    weighed = state.weigh([Finding(rule) for rule in (TROUSERS_WITHOUT_FEET, *others)])
    assert [finding.rule.severity for finding in weighed] == [
        Severity.ODD,
        *(rule.severity for rule in others),
    ]


@pytest.mark.parametrize(
    "rule", [POLYGLOT, PROBING_SEQUENCE, BLOCKED_PATCH, BLOCKED_PERTURBATION, HEADLESS_BODY]
)
def test_what_does_not_depend_on_the_source_weighs_the_same_from_the_start(rule: Rule) -> None:
    assert SourceState(Phase.LEARNING).weigh([Finding(rule)]) == (Finding(rule),)
